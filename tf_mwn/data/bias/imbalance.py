"""Class imbalance: how many examples each class keeps, and which."""

import numpy as np

from tf_mwn.checks import AT_LEAST_ONE, check_count, check_labels, check_name
from tf_mwn.data.seeds import generator, random_order

LONG_TAILED, SHUFFLED, STEP = "long_tailed", "shuffled_long_tailed", "step"
IMBALANCE_KINDS = (LONG_TAILED, SHUFFLED, STEP)


def class_shares(kind: str, factor: float, num_classes: int, seed: int = 0) -> np.ndarray:
    """Returns the size of each class relative to the largest.

    "long_tailed" is factor^(-c/(C-1)), c = 0..C-1 in label order (Cui et al., CVPR 2019), and
    "shuffled_long_tailed" is that with the classes in an order that the seed draws. "step"
    is 1 for the first half of the classes (the middle one of an odd number included) and 1 / factor
    for the rest (Buda et al., 2018).

    Args:
        kind: one of `IMBALANCE_KINDS`.
        factor: largest over smallest class count, at least 1.
        num_classes: number of classes C, at least 2.
        seed: of the order of the classes, where one is drawn.

    Returns:
        [C] float64 in (0, 1].

    Raises:
        ValueError: unknown kind, or a factor below 1.
    """
    check_name("imbalance", kind, IMBALANCE_KINDS)
    num_classes = check_count("num_classes", num_classes, 2)
    AT_LEAST_ONE.check("imbalance_factor", factor)
    if kind != STEP:
        shares = np.power(1.0 / factor, np.arange(num_classes) / (num_classes - 1))
        if kind == LONG_TAILED:
            return shares
        return shares[random_order(num_classes, generator(seed, "class order"))]
    return np.where(np.arange(num_classes) < (num_classes + 1) // 2, 1.0, 1.0 / factor)


def class_counts(
    kind: str, factor: float, largest: int, num_classes: int, seed: int = 0
) -> np.ndarray:
    """Returns how many examples each class keeps: int(largest * its share).

    Args:
        kind: one of `IMBALANCE_KINDS`.
        factor: largest over smallest class count, at least 1.
        largest: examples of the largest class.
        num_classes: number of classes C, at least 2.
        seed: of the order of the classes, where one is drawn.

    Returns:
        [C] int64 counts, each at least 1.

    Raises:
        ValueError: unknown kind, a factor below 1, or a class left without examples.
    """
    largest = check_count("largest", largest, 1)
    share = class_shares(kind, factor, num_classes, seed)
    # A product that is a whole number must not fall below it by rounding.
    counts = np.floor(largest * share + 1e-9).astype(np.int64)
    empty = np.flatnonzero(counts == 0)
    if empty.size:
        raise ValueError(
            "imbalance_factor: expected one that leaves every class an example, "
            f"received {factor:g} with a largest class of {largest}, which empties class {empty[0]}"
        )
    return counts


def subsample(labels: np.ndarray, counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draws `counts[c]` examples of each class c at random.

    Args:
        labels: [N] labels in 0..C-1.
        counts: [C] examples to keep.
        rng: generator; the classes are drawn in label order.

    Returns:
        Sorted int64 positions in `labels`, `counts.sum()` of them.

    Raises:
        ValueError: a class has fewer examples than it should keep.
    """
    labels = check_labels("labels", labels, len(counts))
    kept = []
    for label, count in enumerate(counts):
        rows = np.flatnonzero(labels == label)
        if count > len(rows):
            raise ValueError(
                f"labels: expected at least {count} examples of class {label}, received {len(rows)}"
            )
        kept.append(rows[random_order(len(rows), rng)[:count]])
    return np.sort(np.concatenate(kept))
