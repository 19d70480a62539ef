"""Label noise given by a transition matrix T[i, j] = P(noisy label j | true label i)."""

import numpy as np

from tf_mwn.data.checks import check_integer, check_labels, check_name

NOISE_KINDS = ("none", "uniform", "symmetric", "flip", "flip2")


def flip_targets(num_targets: int, num_classes: int) -> np.ndarray:
    """Returns the classes that each class flips to, int64 [C, num_targets].

    They belong to the protocol and not to the run: always drawn from seed 1 of NumPy's legacy
    generator, whose streams are frozen, class by class over the other classes.
    """
    rng = np.random.RandomState(1)
    rows = []
    for true in range(num_classes):
        others = np.delete(np.arange(num_classes), true)
        # One target is drawn as a scalar: `choice` without replacement has another stream.
        drawn = rng.choice(others) if num_targets == 1 else rng.choice(others, 2, replace=False)
        rows.append(np.atleast_1d(drawn))
    return np.stack(rows).astype(np.int64)


def _flip_matrix(rate: float, num_classes: int, num_targets: int) -> np.ndarray:
    matrix = (1.0 - rate) * np.eye(num_classes)
    for true, targets in enumerate(flip_targets(num_targets, num_classes)):
        matrix[true, targets] = rate / num_targets
    return matrix


def transition_matrix(kind: str, rate: float, num_classes: int) -> np.ndarray:
    """Returns the transition matrix of one kind of label noise.

    With rate r and C classes: "none" is the identity; "uniform" is r/C + (1 - r) I, which redraws
    a label over all classes, the true one included; "symmetric" has r/(C - 1) off the diagonal;
    "flip" gives r to one other class and "flip2" r/2 to each of two, the same ones for every
    seed and rate. Source: Shu et al., Meta-Weight-Net, NeurIPS 2019, and its public code.

    Args:
        kind: One of `NOISE_KINDS`.
        rate: Nominal noise rate r in [0, 1]; 0 for "none".
        num_classes: Number of classes C, at least 2 (3 for "flip2").

    Returns:
        [C, C] float64, each row a distribution.

    Raises:
        ValueError: Unknown kind, a rate outside [0, 1], or too few classes.
    """
    check_name("noise", kind, NOISE_KINDS)
    num_classes = check_integer("num_classes", num_classes, 3 if kind == "flip2" else 2)
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"expected noise_rate in [0, 1], received {rate}")
    if kind == "none" and rate:
        raise ValueError(f"expected noise_rate 0 with noise 'none', received {rate}")
    identity = np.eye(num_classes)
    if kind == "uniform":
        return rate / num_classes + (1.0 - rate) * identity
    if kind == "symmetric":
        return rate / (num_classes - 1) * (1.0 - identity) + (1.0 - rate) * identity
    if kind in ("flip", "flip2"):
        return _flip_matrix(rate, num_classes, num_targets=1 if kind == "flip" else 2)
    return identity


def _check_matrix(matrix: np.ndarray) -> np.ndarray:
    matrix = np.asarray(matrix, np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"expected a square transition matrix, received {list(matrix.shape)}")
    sums = matrix.sum(axis=1)
    # Written so that a NaN fails too.
    if not (np.all(matrix >= 0.0) and np.allclose(sums, 1.0, atol=1e-6)):
        raise ValueError(
            "expected a transition matrix of non-negative rows that each sum to 1, received "
            f"a smallest entry of {matrix.min():g} and sums {sums.min():g} to {sums.max():g}"
        )
    return matrix


def corrupt(labels: np.ndarray, matrix: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draws a noisy label for each true label, independently, from its row of the matrix.

    Args:
        labels: [N] true labels in 0..C-1.
        matrix: [C, C] transition matrix.
        rng: Generator; N uniform numbers are drawn from it, in the order of the labels.

    Returns:
        [N] int64 noisy labels.

    Raises:
        TypeError: Labels that are no integers.
        ValueError: Labels out of range, or rows that are no distributions.
    """
    matrix = _check_matrix(matrix)
    labels = check_labels("labels", labels, len(matrix))
    uniform = rng.random(len(labels))
    noisy = np.empty_like(labels)
    for true, row in enumerate(matrix):
        upper = np.cumsum(row)
        upper[np.flatnonzero(row)[-1] :] = 1.0  # rounding must not reach a class of probability 0
        rows = labels == true
        noisy[rows] = np.searchsorted(upper, uniform[rows], side="right")
    return noisy


def realised_rate(clean: np.ndarray, noisy: np.ndarray) -> float:
    """Returns the fraction of labels that differ from the clean ones, in [0, 1]."""
    if len(clean) != len(noisy) or not len(clean):
        raise ValueError(
            f"expected two equally long label arrays, received {len(clean)} and {len(noisy)}"
        )
    return float(np.mean(np.asarray(clean) != np.asarray(noisy)))


def realised_matrix(clean: np.ndarray, noisy: np.ndarray, num_classes: int) -> np.ndarray:
    """Returns the observed transition matrix.

    Args:
        clean: [N] true labels.
        noisy: [N] noisy labels.
        num_classes: Number of classes C.

    Returns:
        [C, C] float64; a class with no example has a row of zeros.
    """
    clean = check_labels("clean labels", clean, num_classes)
    noisy = check_labels("noisy labels", noisy, num_classes)
    cells = np.bincount(clean * num_classes + noisy, minlength=num_classes**2)
    counts = cells.reshape(num_classes, num_classes)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
