"""Local intrinsic dimensionality of features, and the rules on its course over training."""

from collections.abc import Sequence

import numpy as np

# Keeps the logarithm finite for duplicate examples.
_EPSILON = 1e-8


def local_intrinsic_dimension(points: np.ndarray, neighbours: int = 20) -> np.ndarray:
    """The maximum-likelihood estimate -[(1/k) Σ_{i=1..k} ln(r_i/r_k)]⁻¹ at each point.

    r_1 <= ... <= r_k are the Euclidean distances to the k nearest other points.

    Args:
        points: [N, F].
        neighbours: k, at least 2. With fewer other points, all of them are used.

    Returns:
        [N], above 0; infinite if the k nearest points have equal distances.

    Raises:
        ValueError: N < 3 or k < 2, so that there is no ratio of two distances.

    References:
        Amsaleg et al., Estimating Local Intrinsic Dimensionality, KDD 2015, as in Ma et al.,
        ICML 2018, equation 4. https://arxiv.org/abs/1806.02612
    """
    points = np.asarray(points, dtype=np.float64)
    k = min(neighbours, len(points) - 1)
    if k < 2:
        raise ValueError(f"neighbours: expected at least 2, received {k}")
    logarithms = np.log(np.stack([_nearest(points, i, k) for i in range(len(points))]) + _EPSILON)
    with np.errstate(divide="ignore"):
        return 1 / np.mean(logarithms[:, -1:] - logarithms, axis=1)


def mean_over_batches(
    points: np.ndarray, neighbours: int, batch_size: int, rng: np.random.Generator
) -> float:
    """The mean local intrinsic dimensionality of points within random batches.

    Args:
        points: [N, F].
        neighbours: k.
        batch_size: the largest size of a batch. Batches have sizes that are as equal as possible.
        rng: source of the batches.

    Returns:
        The mean of the finite estimates; NaN if there is none.
    """
    batches = np.array_split(rng.permutation(points), -(-len(points) // batch_size))
    values = np.concatenate([local_intrinsic_dimension(batch, neighbours) for batch in batches])
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else float("nan")


def is_turning_point(values: Sequence[float]) -> bool:
    """Whether the last value exceeds the mean of the others by more than two deviations."""
    *window, last = values
    return bool(last - np.mean(window) > 2 * np.std(window))


def label_share(progress: float, value: float, least: float) -> float:
    """α = exp(-progress · value/least), the share of the given label in the target.

    Args:
        progress: t/T >= 0, the fraction of the epochs done.
        value: the intrinsic dimensionality now.
        least: the smallest so far, above 0.
    """
    return float(np.exp(-progress * value / least))


def _nearest(points: np.ndarray, i: int, k: int) -> np.ndarray:
    """Distances from point i to its k nearest others, ascending."""
    # From inner products the distance of duplicates would be a rounding error, not 0.
    others = np.delete(points, i, axis=0)
    squares = np.sum((others - points[i]) ** 2, axis=1)
    return np.sqrt(np.sort(squares)[:k])
