"""Label noise given by a transition matrix T[i, j] = P(noisy label j | true label i)."""

from typing import Any

import numpy as np

from tf_mwn.checks import (
    UNIT,
    check_count,
    check_labels,
    check_lengths,
    check_name,
    check_transition_matrix,
)
from tf_mwn.data.bias.noise_kinds import FEATURE_KINDS, META_NOISE_KINDS, NOISE_KINDS, NoiseKind
from tf_mwn.data.rounding import largest_remainder
from tf_mwn.data.seeds import random_order
from tf_mwn.data.subset import UNKNOWN_CLASS

__all__ = [
    "FEATURE_KINDS",
    "META_NOISE_KINDS",
    "NOISE_KINDS",
    "NOISE_SAMPLINGS",
    "corrupt",
    "drawn_classes",
    "realised_matrix",
    "realised_rate",
    "transition_matrix",
]

NOISE_SAMPLINGS = ("expected", "exact")
# By how much the sum of a row of a transition matrix may miss 1.
TOLERANCE = 1e-6


def transition_matrix(kind: str, rate: float, num_classes: int, **given: Any) -> np.ndarray:
    """Returns the transition matrix of one kind of label noise.

    With rate r and C classes: "none" is the identity; "uniform" is r/C + (1 - r) I, which redraws
    a label over all classes, the true one included; "symmetric" has r/(C - 1) off the diagonal;
    "flip" gives r to one other class and "flip2" r/2 to each of two, the same ones for every
    seed and rate. Source: Shu et al., Meta-Weight-Net, NeurIPS 2019, and its public code. For the
    other kinds see `NOISE_KINDS`.

    Args:
        kind: one of `NOISE_KINDS` that has a matrix.
        rate: nominal noise rate r in [0, 1]; 0 for "none" and "matrix".
        num_classes: number of classes C, at least 2 (3 for "flip2").
        **given: what the kind needs: `coarse` ([C] superclasses), `target` (a class), `matrix`
            ([C, C]). The rest is ignored.

    Returns:
        [C, C] float64, each row a distribution.

    Raises:
        ValueError: unknown kind or one without a matrix, a rate outside [0, 1], a wrong number of
            classes, or a need that is not given.
    """
    row = NOISE_KINDS[check_name("noise", kind, NOISE_KINDS)]
    if row.matrix is None:
        raise ValueError(f"noise: expected a kind with a transition matrix, received {kind!r}")
    num_classes = _check_num_classes(row, num_classes)
    UNIT.check("noise_rate", rate)
    if kind in ("none", "matrix") and rate:
        raise ValueError(f"noise_rate: expected 0 with noise {kind!r}, received {rate}")
    needs = {name: _check_need(kind, name, given.get(name), num_classes) for name in row.needs}
    return check_transition_matrix(row.matrix(rate, num_classes, **needs), tolerance=TOLERANCE)


def _check_num_classes(row: NoiseKind, num_classes: int) -> int:
    num_classes = check_count("num_classes", num_classes, row.least_classes)
    if row.num_classes not in (None, num_classes):
        raise ValueError(
            f"noise: expected {row.num_classes} classes for {row.name!r}, received {num_classes}"
        )
    return num_classes


def _check_need(kind: str, name: str, value: Any, num_classes: int) -> Any:
    """Returns what a kind of noise needs, checked against the number of classes."""
    if value is None:
        where = "superclasses of the source" if name == "coarse" else f"a {name}"
        raise ValueError(f"{name}: expected {where} for noise {kind!r}, received none")
    if name == "target":
        check_labels("target", np.array([check_count("target", value, 0)]), num_classes)
        return int(value)
    value = np.asarray(value)
    if len(value) != num_classes:
        raise ValueError(
            f"{name}: expected one row for each of {num_classes} classes, received {len(value)}"
        )
    return value


def corrupt(
    labels: np.ndarray, matrix: np.ndarray, rng: np.random.Generator, sampling: str = "expected"
) -> np.ndarray:
    """Draws a noisy label for each true label from its row of the matrix.

    "expected" draws each label by itself, so that the matrix holds in expectation. "exact" gives
    n T[i, j] of the n labels of class i to class j, rounded by largest remainder, and draws which.

    Args:
        labels: [N] true labels in 0..C-1.
        matrix: [C, C] transition matrix.
        rng: generator; "expected" draws N uniform numbers from it, in the order of the labels.
        sampling: one of `NOISE_SAMPLINGS`.

    Returns:
        [N] int64 noisy labels.

    Raises:
        TypeError: labels that are no integers.
        ValueError: labels out of range, or rows that are no distributions.
    """
    check_name("noise_sampling", sampling, NOISE_SAMPLINGS)
    matrix = check_transition_matrix(matrix)
    labels = check_labels("labels", labels, len(matrix))
    draw = _draw_independently if sampling == "expected" else _draw_counts
    return draw(labels, matrix, rng)


def _draw_independently(labels, matrix, rng):
    uniform = rng.random(len(labels))
    noisy = np.empty_like(labels)
    for true, row in enumerate(matrix):
        rows = labels == true
        noisy[rows] = drawn_classes(row, uniform[rows])
    return noisy


def drawn_classes(distribution: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Returns the class that each uniform number draws from its distribution.

    Args:
        distribution: [C] for all draws, or [N, C], one for each.
        uniform: [N] numbers in [0, 1).

    Returns:
        [N] int64 classes, none of probability 0.
    """
    upper = np.cumsum(distribution, axis=-1)
    classes = np.arange(upper.shape[-1])
    last = classes[-1] - np.argmax(np.flip(distribution > 0, axis=-1), axis=-1)
    # Rounding must not reach a class of probability 0 behind the last possible one.
    upper[classes >= last[..., np.newaxis]] = 1.0
    return np.argmax(upper > uniform[:, np.newaxis], axis=1)


def _draw_counts(labels, matrix, rng):
    noisy = np.empty_like(labels)
    for true, row in enumerate(matrix):
        rows = np.flatnonzero(labels == true)
        # Equal remainders are broken at random: by class they would favour the first ones.
        counts = largest_remainder(len(rows) * row, len(rows), rng.random(len(row)))
        noisy[rows[random_order(len(rows), rng)]] = np.repeat(np.arange(len(row)), counts)
    return noisy


def realised_rate(clean: np.ndarray, noisy: np.ndarray) -> float:
    """Returns the fraction of labels that differ from the clean ones, in [0, 1].

    A clean label of `UNKNOWN_CLASS` differs from every label.
    """
    check_lengths(clean=clean, noisy=noisy)
    if not len(clean):
        raise ValueError("clean: expected at least one label, received none")
    return float(np.mean(np.asarray(clean) != np.asarray(noisy)))


def realised_matrix(clean: np.ndarray, noisy: np.ndarray, num_classes: int) -> np.ndarray:
    """Returns the observed transition matrix.

    Args:
        clean: [N] true labels; those of `UNKNOWN_CLASS` are left out.
        noisy: [N] noisy labels.
        num_classes: number of classes C.

    Returns:
        [C, C] float64; a class with no example has a row of zeros.
    """
    known = np.asarray(clean) != UNKNOWN_CLASS
    clean = check_labels("clean labels", np.asarray(clean)[known], num_classes)
    noisy = check_labels("noisy labels", np.asarray(noisy)[known], num_classes)
    cells = np.bincount(clean * num_classes + noisy, minlength=num_classes**2)
    counts = cells.reshape(num_classes, num_classes)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
