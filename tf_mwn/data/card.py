"""The data card: what a biased data set really holds, in numbers."""

import dataclasses
from typing import Any

import numpy as np

from tf_mwn.data.bias_settings import BiasSettings
from tf_mwn.data.noise import realised_matrix, realised_rate
from tf_mwn.data.statistics import fingerprint
from tf_mwn.data.subset import Source, Subset

# Classes up to which `format_card` prints counts and matrices.
PRINTED_CLASSES = 10


@dataclasses.dataclass(frozen=True)
class DataCard:
    """What a card is made from.

    Attributes:
        source: The source.
        settings: How it was biased.
        seed: Seed of the draws.
        clean_labels: "known", "assumed" (the given labels were taken as clean) or "unknown".
        matrix: [C, C] nominal transition matrix, or None where it is not known.
        parts: The subsets "train", "meta", "validation" and "test"; None for one left out.
    """

    source: Source
    settings: BiasSettings
    seed: int
    clean_labels: str
    matrix: np.ndarray | None
    parts: dict[str, Subset | None]


def describe(facts: DataCard) -> dict[str, Any]:
    """Returns the card as a dict of plain Python values, ready for JSON.

    Rates and matrices are those of the training part. Nominal ones are None where the labels come
    from a file or from the source; realised ones are None where the clean labels are not known.
    """
    train, parts = facts.parts["train"], facts.parts
    num_classes = len(facts.source.class_names)

    def count(labels):
        return None if labels is None else np.bincount(labels, minlength=num_classes).tolist()

    clean_counts = count(train.clean_label)
    return {
        "source": facts.source.name,
        "seed": facts.seed,
        "num_classes": num_classes,
        "class_names": list(facts.source.class_names),
        "input_shape": list(train.x.shape[1:]),
        "sizes": {name: 0 if part is None else len(part) for name, part in parts.items()},
        "clean_labels": facts.clean_labels,
        "meta_per_class": count(parts["meta"].label),
        "train_per_class": {"clean": clean_counts, "given": count(train.label)},
        "noise": _describe_noise(facts, train, num_classes),
        "imbalance": {
            "kind": facts.settings.imbalance if facts.settings.imbalance_factor > 1 else "none",
            "nominal_factor": float(facts.settings.imbalance_factor),
            "realised_factor": _factor(clean_counts or count(train.label)),
        },
        "validation_labels": facts.settings.validation_labels if parts["validation"] else None,
        "fingerprint": _fingerprint(parts),
    }


def _describe_noise(facts: DataCard, train: Subset, num_classes: int) -> dict[str, Any]:
    known = train.clean_label is not None
    kind = facts.settings.noise
    if facts.settings.label_file is not None:
        kind = "label file"
    elif facts.source.y_given is not None or not known:
        kind = "of the source"
    matrix = realised_matrix(train.clean_label, train.label, num_classes) if known else None
    nominal = facts.matrix is not None
    return {
        "kind": kind,
        "nominal_rate": float(facts.settings.noise_rate) if nominal else None,
        "realised_rate": realised_rate(train.clean_label, train.label) if known else None,
        "nominal_matrix": facts.matrix.round(6).tolist() if nominal else None,
        "realised_matrix": matrix.round(6).tolist() if known else None,
    }


def _factor(counts: list[int]) -> float | None:
    return max(counts) / min(counts) if min(counts) else None


def _fingerprint(parts: dict[str, Subset | None]) -> str:
    arrays = []
    for part in parts.values():
        fields = dataclasses.fields(Subset)
        arrays += [None if part is None else getattr(part, field.name) for field in fields]
    return fingerprint(arrays)


def format_card(card: dict[str, Any]) -> str:
    """Returns the card as compact text for a terminal: at most 25 lines.

    Counts per class and matrices are left out for more than ten classes.
    """
    noise, imbalance, sizes = card["noise"], card["imbalance"], card["sizes"]
    shape = "x".join(str(size) for size in card["input_shape"])
    lines = [
        f"data         {card['source']}: {card['num_classes']} classes of {shape}, "
        f"seed {card['seed']}",
        "sizes        " + ", ".join(f"{name} {size}" for name, size in sizes.items()),
        f"clean labels {_CLEAN_LABELS[card['clean_labels']]}",
        f"noise        {noise['kind']}: nominal rate {_number(noise['nominal_rate'])}, "
        f"realised {_number(noise['realised_rate'])}",
        f"imbalance    {imbalance['kind']}: nominal factor {_number(imbalance['nominal_factor'])}, "
        f"realised {_number(imbalance['realised_factor'])}",
        f"fingerprint  {card['fingerprint'][:16]}",
    ]
    if card["num_classes"] > PRINTED_CLASSES:
        return "\n".join([*lines, "(counts per class and matrices: see the card's JSON)"])
    counts = {"clean": card["train_per_class"]["clean"], "given": card["train_per_class"]["given"]}
    for name, values in {**counts, "meta": card["meta_per_class"]}.items():
        if values is not None:
            lines.append(f"{name:<12} " + " ".join(f"{value:>5}" for value in values))
    return "\n".join(lines + _matrix_lines(noise))


_CLEAN_LABELS = {
    "known": "known",
    "assumed": "not known: the given labels are taken as clean",
    "unknown": "not known: no noise rate; the meta set takes the given labels as clean",
}


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"


def _matrix_lines(noise: dict[str, Any]) -> list[str]:
    """Returns the realised matrix, each row with the nominal probability of its own class."""
    realised, nominal = noise["realised_matrix"], noise["nominal_matrix"]
    if realised is None or noise["realised_rate"] == 0:
        return []
    lines = ["P(given label | clean label), realised; at the end the nominal probability to stay"]
    for label, row in enumerate(realised):
        stay = "" if nominal is None else f"  ({nominal[label][label]:.2f})"
        lines.append(f"{label:>12} " + " ".join(f"{value:>5.2f}" for value in row) + stay)
    return lines
