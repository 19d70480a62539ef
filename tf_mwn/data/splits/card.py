"""The data card: what a biased data set actually contains, in numbers."""

import dataclasses
from typing import Any

import numpy as np

from tf_mwn.data.bias.noise import FEATURE_KINDS, realised_matrix, realised_rate
from tf_mwn.data.bias.settings import BiasSettings
from tf_mwn.data.bias.training_labels import DrawnLabels
from tf_mwn.data.splits.card_text import AS_DOUBTFUL, format_card
from tf_mwn.data.statistics import fingerprint
from tf_mwn.data.subset import DATA_NOISE, OPEN_SET, UNKNOWN_CLASS, Source, Subset

__all__ = ["DataCard", "describe", "format_card"]


@dataclasses.dataclass(frozen=True)
class DataCard:
    """What a card is made from.

    Attributes:
        source: the source.
        settings: how it was biased.
        seed: seed of the draws.
        clean_labels: "known", "assumed" (the given labels were taken as clean) or "unknown".
        noise: label noise of the source's whole training part.
        rows: rows of the source that are the training part.
        meta_noise: label noise of the meta set.
        parts: the subsets "train", "meta", "validation" and "test"; None for one left out.
    """

    source: Source
    settings: BiasSettings
    seed: int
    clean_labels: str
    noise: DrawnLabels
    rows: np.ndarray
    meta_noise: DrawnLabels
    parts: dict[str, Subset | None]


def describe(facts: DataCard) -> dict[str, Any]:
    """Returns the card as a dict of plain Python values, ready for JSON.

    Rates and matrices are those of the training part. Nominal ones are None where the labels come
    from a file or from the source; realised ones are None where the clean labels are not known.
    The expected rate is the mean probability that a label is wrong, given the clean labels and the
    matrix (or the inputs, if there is no matrix): 0.36 for "uniform" at rate 0.4 and ten classes.
    Images that show none of the classes are left out of all rates and matrices of label noise, but
    count in `wrong_fraction`.
    """
    train, parts, settings = facts.parts["train"], facts.parts, facts.settings
    num_classes = len(facts.source.class_names)
    clean, given = _count(train.clean_label, num_classes), _count(train.label, num_classes)
    factor = settings.imbalance_factor
    return {
        "source": facts.source.name,
        "seed": facts.seed,
        "num_classes": num_classes,
        "class_names": list(facts.source.class_names),
        "input_shape": list(train.x.shape[1:]),
        "streamed": not isinstance(train.x, np.ndarray),
        "sizes": {name: 0 if part is None else len(part) for name, part in parts.items()},
        "clean_labels": facts.clean_labels,
        "test_labels": _test_labels(facts),
        "meta_per_class": _count(parts["meta"].clean_label, num_classes),
        "train_per_class": {"clean": clean, "given": given},
        "noise": _describe_noise(facts, train, num_classes),
        "open_set": {"source": settings.open_set, **_altered(train, settings, "open_set")},
        "data_noise": {"kind": settings.data_noise, **_altered(train, settings, "data_noise")},
        "wrong_fraction": clean and realised_rate(train.clean_label, train.label),
        "imbalance": {
            "kind": settings.imbalance if factor > 1 else "none",
            "nominal_factor": float(factor),
            "realised_factor": _factor(_count(facts.source.y[facts.rows], num_classes)),
        },
        "meta": _describe_meta(facts, parts["meta"], num_classes),
        "validation_labels": _validation_labels(facts) if parts["validation"] else None,
        "fingerprint": _fingerprint(parts),
    }


def _validation_labels(facts: DataCard) -> str:
    own = facts.source.validation is not None
    return "of the validation part" if own else facts.settings.validation_labels


def _test_labels(facts: DataCard) -> str:
    """What the test labels are: a key of `card_text.TEST_LABELS`."""
    if facts.clean_labels != "unknown":
        return "true" if facts.clean_labels == "known" else "taken as true"
    return AS_DOUBTFUL if facts.source.test_split_off else "of the test part"


def _count(labels: np.ndarray | None, num_classes: int) -> list[int] | None:
    if labels is None:
        return None
    return np.bincount(labels[labels != UNKNOWN_CLASS], minlength=num_classes).tolist()


def _describe_noise(facts: DataCard, train: Subset, num_classes: int) -> dict[str, Any]:
    known, settings, noise = train.clean_label is not None, facts.settings, facts.noise
    kind = settings.noise
    if settings.label_file is not None:
        kind = "label file"
    elif facts.source.y_given is not None or not known:
        kind = "of the source"
    drawn = noise.wrong is not None and facts.clean_labels != "unknown"
    by_file = kind == "matrix" or (kind in FEATURE_KINDS and settings.noise_factor is not None)
    nominal = drawn and noise.matrix is not None
    return {
        "kind": kind,
        "sampling": settings.noise_sampling if nominal else None,
        "target": noise.target,
        "nominal_rate": float(settings.noise_rate) if drawn and not by_file else None,
        "nominal_factor": settings.noise_factor,
        "expected_rate": float(noise.wrong[facts.rows].mean()) if drawn else None,
        "nominal_matrix": noise.matrix.round(6).tolist() if nominal else None,
        **_realised(train, num_classes),
    }


def _realised(part: Subset, num_classes: int) -> dict[str, Any]:
    """Returns rate and matrix of the labels whose images show a class; None where not known."""
    if part.clean_label is None:
        return {"realised_rate": None, "realised_matrix": None}
    shown = part.clean_label != UNKNOWN_CLASS
    clean, given = part.clean_label[shown], part.label[shown]
    return {
        "realised_rate": realised_rate(clean, given) if len(clean) else None,
        "realised_matrix": realised_matrix(clean, given, num_classes).round(6).tolist(),
    }


def _altered(train: Subset, settings: BiasSettings, name: str) -> dict[str, float]:
    code = {"open_set": OPEN_SET, "data_noise": DATA_NOISE}[name]
    realised = 0.0 if train.altered is None else float(np.mean(train.altered == code))
    return {"nominal_rate": float(getattr(settings, f"{name}_rate")), "realised_rate": realised}


def _describe_meta(facts: DataCard, meta: Subset, num_classes: int) -> dict[str, Any]:
    settings = facts.settings
    return {
        "from": "training part" if facts.source.meta_pool is None else "clean examples apart",
        "noise": settings.meta_noise,
        "nominal_rate": float(settings.meta_noise_rate),
        "expected_rate": float(facts.meta_noise.wrong.mean()) if len(meta) else None,
        "realised_rate": realised_rate(meta.clean_label, meta.label) if len(meta) else None,
        "nominal_factor": float(settings.meta_imbalance_factor),
        "realised_factor": _factor(_count(meta.clean_label, num_classes)),
    }


def _factor(counts: list[int]) -> float | None:
    return max(counts) / min(counts) if min(counts) else None


def _fingerprint(parts: dict[str, Subset | None]) -> str:
    names = ("x", "label", "clean_label", "sample_id")
    return fingerprint(
        None if part is None else getattr(part, name) for part in parts.values() for name in names
    )
