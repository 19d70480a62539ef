"""Balancing the classes by repeating or leaving out examples."""

import numpy as np

from tf_mwn.methods.rules.specs import RESAMPLING_KIND


def resampled_rows(labels: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
    """Draws rows of a training set so that every class occurs equally often.

    Over-sampling keeps the length N and gives each class N/C rows, one more or less. The expected
    number of an example's rows is proportional to 1/n_y, and within a class the numbers differ by
    at most one. Under-sampling takes from each class as many rows as the smallest class has, and
    none twice.

    Args:
        labels: [N] class numbers; classes without examples are left out.
        kind: "over" or "under".
        rng: source of the draws.

    Returns:
        int64 rows in random order.

    Raises:
        ValueError: another kind.

    References:
        Chawla et al., SMOTE, JAIR 2002 (over-sampling with replacement and under-sampling).
        https://arxiv.org/abs/1106.1813
    """
    RESAMPLING_KIND.check(kind)
    classes, counts = np.unique(labels, return_counts=True)
    if kind == "under":
        sizes = np.full(len(classes), counts.min())
    else:
        sizes = np.diff(np.linspace(0, len(labels), len(classes) + 1).astype(int))
    return _drawn(labels, classes, sizes, rng)


def balanced_rows(labels: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Draws `size` rows of each class that there is; the numbers of its rows differ by one at most.

    Args:
        labels: [N] class numbers.
        size: rows of each class.
        rng: source of the draws.

    Returns:
        int64 rows in random order.
    """
    classes = np.unique(labels)
    return _drawn(labels, classes, np.full(len(classes), size), rng)


def _drawn(
    labels: np.ndarray, classes: np.ndarray, sizes: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Rows of the classes in these numbers, in random order."""
    rows = [
        _even_draw(np.flatnonzero(labels == c), n, rng) for c, n in zip(classes, sizes, strict=True)
    ]
    return _shuffled(np.concatenate(rows), rng)


def _even_draw(rows: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """`size` of `rows`, each floor or ceil of size/len(rows) times."""
    return np.resize(_shuffled(rows, rng), size)


def _shuffled(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    # Uniform keys and a stable sort: NumPy may change what `permutation` draws.
    return rows[np.argsort(rng.random(len(rows)), kind="stable")]
