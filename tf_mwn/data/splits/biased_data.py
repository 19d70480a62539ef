"""A biased data set from a clean source: meta split, imbalance, validation split, label noise.

Every draw has its own generator, made from (seed, purpose). At one seed the split is therefore the
same for every method and every noise.
"""

import dataclasses
from typing import Any

import numpy as np

from tf_mwn.checks import check_count
from tf_mwn.data.bias.altered_inputs import alter_inputs, check_open_set
from tf_mwn.data.bias.imbalance import class_counts, class_shares, subsample
from tf_mwn.data.bias.settings import BiasSettings
from tf_mwn.data.bias.training_labels import DrawnLabels, meta_labels, training_labels
from tf_mwn.data.seeds import generator
from tf_mwn.data.splits.card import DataCard, describe
from tf_mwn.data.splits.split import (
    balanced_indices,
    check_disjoint,
    random_indices,
    stratified_indices,
)
from tf_mwn.data.statistics import mean_and_std
from tf_mwn.data.subset import Source, Subset
from tf_mwn.messages import logger

__all__ = ["BiasSettings", "BiasedData", "Subset", "prepare"]


@dataclasses.dataclass(frozen=True)
class BiasedData:
    """The parts of a biased data set; no example is in two of them.

    Attributes:
        train: biased training part.
        meta: meta set: clean and class-balanced, unless the settings ask for noise or imbalance.
        validation: held out of the biased part for selection, or None.
        test: the source's test part.
        num_classes: number of classes C.
        mean: [C'] mean per channel or feature, in the units of the inputs.
        std: [C'] standard deviation likewise.
        card: the data card, ready for JSON.
    """

    train: Subset
    meta: Subset
    validation: Subset | None
    test: Subset
    num_classes: int
    mean: np.ndarray
    std: np.ndarray
    card: dict[str, Any]


def prepare(
    source: Source, settings: BiasSettings, seed: int, open_set: Source | None = None
) -> BiasedData:
    """Biases a source, the same way for every method.

    The steps, in order:

    1. The meta set is split off, from the source's separate clean examples if it has any. All of
       these are taken as they are if `meta_size` is their number.
    2. `train_size` takes a class-stratified subset of the rest.
    3. Imbalance thins out the classes. The largest class keeps as many examples as the smallest
       class had, so that no class is asked for more than it holds.
    4. The validation set is drawn from the remaining examples, so that it has the same bias; a
       source with a validation part of its own keeps that one, without bias.
    5. Noise is drawn for training and validation labels.
    6. Images are replaced in both.

    Rows of the same image of a user's own data never land in two parts: the meta and the validation
    set take one of them, and the others are left out.

    Args:
        source: a loaded source.
        settings: the bias.
        seed: seed of every draw, 0 or more.
        open_set: the source that `settings.open_set` names, loaded; None without that setting.

    Raises:
        TypeError, ValueError: more examples asked for than there are, a file that cannot be used,
            or a bias that the source cannot have.
    """
    check_open_set(settings, open_set)
    num_classes = len(source.class_names)
    meta_rows, meta, meta_noise = _meta_set(source, settings, seed)
    rows = _without(source, np.arange(len(source.y)), meta_rows)
    rows = _thin_out(source, rows, settings, seed)
    rows, validation_rows = _hold_out(source, rows, settings, seed)
    _check_classes(source, rows)
    noise = training_labels(source, settings, seed, (rows, validation_rows))
    known = _clean_labels(source, settings)
    clean = None if known == "unknown" else source.y
    train = _subset(source, rows, noise.label, clean)
    statistics = (source.mean, source.std) if source.mean is not None else mean_and_std(train.x)
    train = alter_inputs(train, settings, seed, "train", open_set, statistics)
    validation = None
    if source.validation is not None:
        validation = _own_validation(source.validation, settings.validation_size, seed)
    elif settings.validation_size and settings.validation_labels == "clean":
        validation = _subset(source, validation_rows, source.y, clean)
    elif settings.validation_size:
        validation = _subset(source, validation_rows, noise.label, clean)
        validation = alter_inputs(validation, settings, seed, "validation", open_set, statistics)
    test = Subset(
        source.x_test, source.y_test, source.y_test, source.test_id, path=source.test_path
    )
    parts = {"train": train, "meta": meta, "validation": validation, "test": test}
    check_disjoint(**{name: part.sample_id for name, part in parts.items() if part is not None})
    facts = DataCard(source, settings, seed, known, noise, rows, meta_noise, parts)
    return BiasedData(train, meta, validation, test, num_classes, *statistics, describe(facts))


def _meta_set(
    source: Source, settings: BiasSettings, seed: int
) -> tuple[np.ndarray, Subset, DrawnLabels]:
    """Returns the rows to take out of the training part, the meta set, and its label noise."""
    pool = source.meta_pool or Subset(source.x, source.y, source.y, source.sample_id)
    firsts = np.arange(len(pool))
    if source.meta_pool is None:
        firsts = _firsts(source, firsts)
    rows = firsts[_meta_rows(source, pool.label[firsts], settings, seed)]
    clean = pool.label[rows]
    noise = meta_labels(source, clean, settings, seed)
    meta = Subset(pool.x[rows], noise.label, clean, pool.sample_id[rows])
    return rows if source.meta_pool is None else rows[:0], meta, noise


def _meta_rows(source: Source, label: np.ndarray, settings: BiasSettings, seed: int) -> np.ndarray:
    """Returns the rows of the meta set among examples with the given labels."""
    size, factor = settings.meta_size, settings.meta_imbalance_factor
    if size == 0:
        return np.arange(0)
    if source.meta_pool is not None and factor == 1 and size >= len(label):
        if size > len(label):
            raise ValueError(
                f"meta_size: expected at most the {len(label)} clean examples apart, which "
                f"--meta_size={len(label)} takes as they are, received {size}"
            )
        missing = np.setdiff1d(np.arange(len(source.class_names)), label)
        if missing.size:
            names = ", ".join(source.class_names[i] for i in missing[:5])
            logger.warning("%s: no meta examples of the classes %s", source.name, names)
        return np.arange(len(label))
    rng, names = generator(seed, "meta"), source.class_names
    shares = class_shares(settings.imbalance, factor, len(names), seed)
    return balanced_indices(label, size, len(names), rng, shares, "meta_size", names)


def _firsts(source: Source, rows: np.ndarray) -> np.ndarray:
    """Returns those of the rows that hold an image which no row before them holds."""
    if source.image is None:
        return rows
    return rows[np.sort(np.unique(source.image[rows], return_index=True)[1])]


def _without(source: Source, rows: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """Returns the rows that are not taken, and whose image is in no row that is."""
    rows = np.setdiff1d(rows, taken)
    if source.image is None:
        return rows
    return rows[~np.isin(source.image[rows], source.image[taken])]


def _own_validation(part: Subset, size: int, seed: int) -> Subset:
    """Returns the source's own validation part, or `size` of its examples."""
    if not size:
        return part
    counted = "examples of the validation part of the data"
    check_count("validation_size", size, 0, most=len(part), counted=counted)
    return part.rows(random_indices(len(part), size, generator(seed, "validation")))


def _clean_labels(source: Source, settings: BiasSettings) -> str:
    """Returns what is known of the clean labels: "known", "assumed" or "unknown".

    Labels that are not known to be clean are taken as clean where others are derived from them.
    """
    if source.clean_known:
        return "known"
    changes = (settings.label_file, settings.open_set)
    kinds = (settings.noise, settings.data_noise)
    derived = any(kind != "none" for kind in kinds) or any(path is not None for path in changes)
    return "assumed" if derived else "unknown"


def _thin_out(source: Source, rows: np.ndarray, settings: BiasSettings, seed: int) -> np.ndarray:
    """Returns the rows left by `train_size` and by imbalance."""
    y, num_classes = source.y, len(source.class_names)
    if settings.train_size is not None:
        left = "examples, which --meta_size leaves"
        check_count("train_size", settings.train_size, most=len(rows), counted=left)
        rng = generator(seed, "train_size")
        rows = rows[stratified_indices(y[rows], settings.train_size, num_classes, rng)]
    _check_classes(source, rows)
    if settings.imbalance_factor == 1.0:
        return rows
    largest = int(np.bincount(y[rows]).min())
    kind, factor = settings.imbalance, settings.imbalance_factor
    counts = class_counts(kind, factor, largest, num_classes, seed)
    return rows[subsample(y[rows], counts, generator(seed, "imbalance"))]


def _hold_out(
    source: Source, rows: np.ndarray, settings: BiasSettings, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the rows that stay and those held out for validation."""
    size = 0 if source.validation is not None else settings.validation_size
    firsts = _firsts(source, rows)
    left = "examples, which leaves one to train on"
    check_count("validation_size", size, 0, most=len(firsts) - 1, counted=left)
    held_out = firsts[random_indices(len(firsts), size, generator(seed, "validation"))]
    return _without(source, rows, held_out), held_out


def _check_classes(source: Source, rows: np.ndarray) -> None:
    lost = np.setdiff1d(source.y, source.y[rows])  # a class of clean examples alone had none
    if lost.size:
        name = source.class_names[lost[0]]
        raise ValueError(
            "meta_size, train_size, imbalance_factor, validation_size: expected every class to "
            f"keep a training example, received none of class {name}"
        )


def _subset(source: Source, rows: np.ndarray, label: np.ndarray, clean: np.ndarray | None):
    clean = None if clean is None else clean[rows]
    path = None if source.path is None else source.path[rows]
    return Subset(source.x[rows], label[rows], clean, source.sample_id[rows], path=path)
