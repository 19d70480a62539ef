"""Confidence intervals over seeds, and the verdict that follows from an interval."""

import dataclasses
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
    """σ_group / σ_within of groups [k, n], with the interval of the one-way random-effects model.

    With F = n Var(means) / mean(variances) the limits of σ_group² / σ_within² are
    (F / F_(1±0.95)/2(k - 1, k (n - 1)) - 1) / n; a negative one is 0. Searle, Casella and
    McCulloch, Variance Components, 1992, section 3.6.
    """
    count, size = groups.shape
    if count < 2 or size < 2 or not np.var(groups, axis=1, ddof=1).any():
        return Interval(math.nan, -math.inf, math.inf)
    within = np.mean(np.var(groups, axis=1, ddof=1))
    statistic = size * np.var(groups.mean(axis=1), ddof=1) / within
    low, high = _f_limits(count - 1, count * (size - 1))
    limits = (float((statistic / f - 1) / size) for f in (1.0, high, low))
    return Interval(*(math.sqrt(max(limit, 0.0)) for limit in limits))


def _f_limits(first: int, second: int) -> tuple[float, float]:
    tail = (1 - LEVEL) / 2
    return tuple(float(special.fdtri(first, second, p)) for p in (tail, 1 - tail))
