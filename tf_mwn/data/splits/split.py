"""Splits by position: class-balanced, class-stratified, and at random."""

import itertools
from collections.abc import Sequence

import numpy as np

from tf_mwn.checks import check_count, check_labels
from tf_mwn.data.bias.imbalance import subsample
from tf_mwn.data.rounding import largest_remainder
from tf_mwn.data.seeds import random_order


def balanced_indices(
    labels: np.ndarray,
    size: int,
    num_classes: int,
    rng: np.random.Generator,
    shares: np.ndarray | None = None,
    name: str = "size",
    class_names: Sequence[str] | None = None,
) -> np.ndarray:
    """Draws a subset in which the classes differ by one example at most, or by given shares.

    Args:
        labels: [N] labels in 0..C-1.
        size: examples to draw in all; the first `size % C` classes get one more.
        num_classes: number of classes C.
        rng: generator.
        shares: [C] relative sizes of the classes, rounded by largest remainder; None for equal.
        name: what the size is called in a message.
        class_names: what the classes are called there; None calls them by number.

    Returns:
        [size] sorted int64 positions in `labels`.

    Raises:
        ValueError: fewer examples than classes, or more than a class has.
    """
    size = check_count(name, size, 1)
    shares = np.ones(num_classes) if shares is None else np.asarray(shares, np.float64)
    wanted = largest_remainder(size * shares / shares.sum(), size)
    if not wanted.all():
        raise ValueError(
            f"{name}: expected at least one example for each of {num_classes} classes, "
            f"received {size}"
        )
    held = np.bincount(check_labels("labels", labels, num_classes), minlength=num_classes)
    short = np.flatnonzero(wanted > held)
    if short.size:
        first = short[0]
        called = first if class_names is None else class_names[first]
        raise ValueError(
            f"{name}: expected at least {wanted[first]} examples of class {called} for a balanced "
            f"subset of {size}, received {held[first]}"
        )
    return subsample(labels, wanted, rng)


def stratified_indices(
    labels: np.ndarray, size: int, num_classes: int, rng: np.random.Generator
) -> np.ndarray:
    """Draws a subset with the class proportions of the whole.

    Args:
        labels: [N] labels in 0..C-1.
        size: examples to draw in all, at most N; shares are rounded by largest remainder.
        num_classes: number of classes C.
        rng: generator.

    Returns:
        [size] sorted int64 positions in `labels`.
    """
    labels = check_labels("labels", labels, num_classes)
    size = check_count("size", size, 0, most=len(labels))
    shares = np.bincount(labels, minlength=num_classes) * size / len(labels)
    return subsample(labels, largest_remainder(shares, size), rng)


def random_indices(total: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """Draws `size` of `total` positions at random; returns them sorted, int64 [size]."""
    size = check_count("size", size, 0, most=total)
    return np.sort(random_order(total, rng)[:size])


def check_disjoint(**id_arrays: np.ndarray) -> None:
    """Checks that no id is in two of the arrays.

    Raises:
        ValueError: two arrays share an id; the message names both and the first shared id.
    """
    for (name, ids), (other, other_ids) in itertools.combinations(id_arrays.items(), 2):
        shared = np.intersect1d(ids, other_ids)
        if shared.size:
            raise ValueError(
                f"{name}, {other}: expected no example in common, "
                f"received {shared.size} in both, the first with id {shared[0]}"
            )
