"""A biased data set from a clean source: meta split, imbalance, validation split, label noise.

Every draw has its own generator made from (seed, purpose), so that the split is one and the same
for every method, and for every noise at one seed.
"""

import dataclasses
from typing import Any

import numpy as np

from tf_mwn.data.bias_settings import BiasSettings
from tf_mwn.data.card import DataCard, describe
from tf_mwn.data.imbalance import class_counts, subsample
from tf_mwn.data.label_file import read_labels
from tf_mwn.data.noise import corrupt, transition_matrix
from tf_mwn.data.seeds import generator
from tf_mwn.data.split import balanced_indices, check_disjoint, random_indices, stratified_indices
from tf_mwn.data.statistics import mean_and_std
from tf_mwn.data.subset import Source, Subset

__all__ = ["BiasSettings", "BiasedData", "Subset", "prepare"]


@dataclasses.dataclass(frozen=True)
class BiasedData:
    """The parts of a biased data set; no example is in two of them.

    Attributes:
        train: Biased training part.
        meta: Clean, class-balanced meta set.
        validation: Held out of the biased part for selection, or None.
        test: The source's test part.
        num_classes: Number of classes C.
        mean: [C'] mean per channel or feature, in the units of the inputs.
        std: [C'] standard deviation likewise.
        card: The data card, ready for JSON.
    """

    train: Subset
    meta: Subset
    validation: Subset | None
    test: Subset
    num_classes: int
    mean: np.ndarray
    std: np.ndarray
    card: dict[str, Any]


def prepare(source: Source, settings: BiasSettings, seed: int) -> BiasedData:
    """Biases a source, the same way for every method.

    In this order: the meta set is split off, class-balanced and clean; `train_size` takes a
    class-stratified subset of the rest; imbalance thins its classes; the validation set is drawn
    from what is left, so that it has the same bias; noise is drawn for training and validation
    labels. Under imbalance the largest class keeps as many examples as the smallest class has, as
    otherwise a class could be asked for more than it holds.

    Args:
        source: A loaded source.
        settings: The bias.
        seed: Seed of every draw, 0 or more.

    Raises:
        ValueError: More examples asked for than there are, or noise on a source that already
            holds noisy labels.
    """
    num_classes = len(source.class_names)
    labels, matrix = _training_labels(source, settings, num_classes, seed)
    meta_rows = balanced_indices(source.y, settings.meta_size, num_classes, generator(seed, "meta"))
    rows = np.setdiff1d(np.arange(len(source.y)), meta_rows)
    rows = _thin_out(source.y, rows, settings, num_classes, seed)
    rows, validation_rows = _hold_out(rows, settings.validation_size, seed)
    _check_classes(source.y[rows], num_classes)
    clean = source.y if _clean_labels(source, settings) != "unknown" else None
    train = _subset(source, rows, labels, clean)
    meta = _subset(source, meta_rows, source.y, source.y)
    validation = None
    if settings.validation_size:
        seen = source.y if settings.validation_labels == "clean" else labels
        validation = _subset(source, validation_rows, seen, clean)
    test = Subset(source.x_test, source.y_test, source.y_test, source.test_id)
    ids = {"train": train, "meta": meta, "validation": validation, "test": test}
    check_disjoint(**{name: part.sample_id for name, part in ids.items() if part is not None})
    mean, std = (source.mean, source.std) if source.mean is not None else mean_and_std(train.x)
    facts = DataCard(source, settings, seed, _clean_labels(source, settings), matrix, ids)
    return BiasedData(train, meta, validation, test, num_classes, mean, std, describe(facts))


def _clean_labels(source: Source, settings: BiasSettings) -> str:
    """Returns what is known of the clean labels: "known", "assumed" or "unknown".

    Labels that are not known to be clean are taken as clean where others are derived from them.
    """
    if source.clean_known:
        return "known"
    derived = settings.noise != "none" or settings.label_file is not None
    return "assumed" if derived else "unknown"


def _training_labels(
    source: Source, settings: BiasSettings, num_classes: int, seed: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """Returns the [N] labels to train on and the nominal matrix, None where there is none."""
    if settings.label_file is not None:
        return read_labels(settings.label_file, source.sample_id, num_classes), None
    if source.y_given is not None:
        if settings.noise != "none":
            raise ValueError(
                f"expected --noise=none for {source.name}, which already holds noisy labels, "
                f"received --noise={settings.noise}"
            )
        return source.y_given, None
    matrix = transition_matrix(settings.noise, settings.noise_rate, num_classes)
    labels = corrupt(source.y, matrix, generator(seed, "noise"))
    return labels, matrix if _clean_labels(source, settings) != "unknown" else None


def _thin_out(
    y: np.ndarray, rows: np.ndarray, settings: BiasSettings, num_classes: int, seed: int
) -> np.ndarray:
    """Returns the rows left by `train_size` and by imbalance."""
    if settings.train_size is not None:
        if settings.train_size > len(rows):
            raise ValueError(
                f"expected --train_size of at most {len(rows)} examples, which --meta_size leaves, "
                f"received {settings.train_size}"
            )
        rng = generator(seed, "train_size")
        rows = rows[stratified_indices(y[rows], settings.train_size, num_classes, rng)]
    _check_classes(y[rows], num_classes)
    if settings.imbalance_factor == 1.0:
        return rows
    largest = int(np.bincount(y[rows]).min())
    counts = class_counts(settings.imbalance, settings.imbalance_factor, largest, num_classes)
    return rows[subsample(y[rows], counts, generator(seed, "imbalance"))]


def _hold_out(rows: np.ndarray, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the rows that stay and those held out for validation."""
    if size >= len(rows):
        raise ValueError(
            f"expected --validation_size below the {len(rows)} training examples, received {size}"
        )
    held_out = random_indices(len(rows), size, generator(seed, "validation"))
    return np.delete(rows, held_out), rows[held_out]


def _check_classes(y: np.ndarray, num_classes: int) -> None:
    counts = np.bincount(y, minlength=num_classes)
    if not counts.all():
        raise ValueError(
            "expected --meta_size, --train_size, --imbalance_factor and --validation_size to leave "
            f"every class a training example, received none of class {np.argmin(counts)}"
        )


def _subset(source: Source, rows: np.ndarray, label: np.ndarray, clean: np.ndarray | None):
    clean = None if clean is None else clean[rows]
    return Subset(source.x[rows], label[rows], clean, source.sample_id[rows])
