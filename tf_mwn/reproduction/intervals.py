"""Confidence intervals over seeds, and the verdict that follows from an interval."""

import dataclasses
import functools
import math
from collections.abc import Sequence

import numpy as np
from scipy import special

HOLDS, FAILS, UNDECIDED = "holds", "fails", "undecided"
LEVEL = 0.95


@dataclasses.dataclass(frozen=True)
class Interval:
    """An estimate between two limits, which are infinite if there is too little data."""

    estimate: float
    low: float
    high: float

    def verdict(self, threshold: float, above: bool) -> str:
        """`HOLDS` if the whole interval is on the claimed side of the threshold.

        `FAILS` if the whole interval is on the other side, `UNDECIDED` otherwise.
        """
        if self.low > threshold:
            return HOLDS if above else FAILS
        if self.high < threshold:
            return FAILS if above else HOLDS
        return UNDECIDED


def mean_interval(values: Sequence[float]) -> Interval:
    """Mean of values [n] with Student's interval: mean ± t(n - 1) s / √n."""
    mean, count = float(np.mean(values)), len(values)
    if count < 2:
        return Interval(mean, -math.inf, math.inf)
    quantile = special.stdtrit(count - 1, (1 + LEVEL) / 2)
    half = float(quantile * np.std(values, ddof=1) / math.sqrt(count))
    return Interval(mean, mean - half, mean + half)


def deviation_ratio_interval(first: Sequence[float], second: Sequence[float]) -> Interval:
    """s₁ / s₂ of two independent samples with the interval of Fisher's F.

    Normal values have s₁² / s₂² · σ₂² / σ₁² ~ F(n₁ - 1, n₂ - 1).
    """
    if min(len(first), len(second)) < 2:
        return Interval(math.nan, -math.inf, math.inf)
    variances = np.var(first, ddof=1), np.var(second, ddof=1)
    if variances[1] == 0:
        return Interval(math.inf if variances[0] else math.nan, -math.inf, math.inf)
    ratio = float(variances[0] / variances[1])
    low, high = _f_limits(len(first) - 1, len(second) - 1)
    return Interval(math.sqrt(ratio), math.sqrt(ratio / high), math.sqrt(ratio / low))


def group_deviation_interval(groups: np.ndarray) -> Interval:
    """σ_group / σ_within of groups [k, n] that share n seeds, by a two-way random-effects model.

    A value is a mean plus the effects of its group, of its seed and of both. σ_within² is the
    variance over the seeds of one group: that of the seeds, (MS_seed - MS_rest) / k, plus that of
    the rest, MS_rest; σ_group² is (MS_group - MS_rest) / n. Negative variances are 0. The limits
    are those of the generalised confidence interval, which puts S / χ² for each mean square:
    Weerahandi, Generalized Confidence Intervals, JASA 1993. A one-way model would need other seeds
    in every group. Where they are shared its interval is too narrow: with three seeds that make
    96 % of σ_within², it holds the true ratio in 82 % of all cases.
    """
    count, size = groups.shape
    if count < 2 or size < 2 or not np.var(groups, axis=1, ddof=1).any():
        return Interval(math.nan, -math.inf, math.inf)
    of_group, of_seed = groups.mean(axis=1, keepdims=True), groups.mean(axis=0, keepdims=True)
    rest = groups - of_group - of_seed + groups.mean()
    sums = size * np.var(of_group) * count, count * np.var(of_seed) * size, (rest**2).sum()
    freedom = count - 1, size - 1, (count - 1) * (size - 1)
    estimate = _deviation_ratio(*np.divide(sums, freedom), count, size)
    drawn = [total / chi for total, chi in zip(sums, _chi_squares(freedom), strict=True)]
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(_deviation_ratio(*drawn, count, size), (tail, 1 - tail))
    return Interval(float(estimate), float(low), float(high))


@functools.cache
def _chi_squares(freedom: tuple[int, int, int]) -> np.ndarray:
    """[3, N] independent χ² values of these degrees of freedom; the same in every process."""
    # Multiples of roots of primes, modulo 1, fill the unit cube evenly (Richtmyer's sequence).
    uniform = (np.arange(1, 10_001) * np.sqrt([[2], [3], [5]])) % 1
    return np.stack([special.chdtri(f, u) for f, u in zip(freedom, uniform, strict=True)])


def _deviation_ratio(group, seed, rest, count: int, size: int) -> np.ndarray:
    """σ_group / σ_within from the mean squares of groups [count, size]."""
    between = np.maximum(group - rest, 0) / size
    return np.sqrt(between / (np.maximum(seed - rest, 0) / count + rest))


def _f_limits(first: int, second: int) -> tuple[float, float]:
    tail = (1 - LEVEL) / 2
    return tuple(float(special.fdtri(first, second, p)) for p in (tail, 1 - tail))
