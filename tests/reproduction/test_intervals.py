"""Confidence intervals and verdicts, on numbers worked out by hand."""

import math

import numpy as np
import pytest

from tf_mwn.reproduction.intervals import (
    FAILS,
    HOLDS,
    UNDECIDED,
    Interval,
    deviation_ratio_interval,
    group_deviation_interval,
    mean_interval,
)


def test_mean_interval_by_hand():
    # Mean 2, s = 1, t(0.975; 2) = 4.302653: half width 4.302653 / sqrt(3).
    interval = mean_interval([1.0, 2.0, 3.0])
    assert interval.estimate == 2.0
    assert interval.high - 2.0 == pytest.approx(2.484138, abs=1e-5)
    assert 2.0 - interval.low == pytest.approx(interval.high - 2.0)


def test_one_value_decides_nothing():
    interval = mean_interval([7.0])
    assert interval == Interval(7.0, -math.inf, math.inf)
    assert interval.verdict(0.0, above=True) == UNDECIDED


@pytest.mark.parametrize(
    ("low", "high", "above", "verdict"),
    [
        (0.1, 2.0, True, HOLDS),
        (0.1, 2.0, False, FAILS),
        (-2.0, -0.1, True, FAILS),
        (-2.0, -0.1, False, HOLDS),
        (-0.1, 2.0, True, UNDECIDED),
        (-0.1, 2.0, False, UNDECIDED),
        (0.0, 1.0, True, UNDECIDED),  # a limit at the threshold is not beyond it
    ],
)
def test_verdict(low, high, above, verdict):
    assert Interval((low + high) / 2, low, high).verdict(0.0, above) == verdict


def test_deviation_ratio_by_hand():
    # Variances 4 and 1; F(0.975; 2, 2) = 39, and its inverse at the other end.
    interval = deviation_ratio_interval([0.0, 2.0, 4.0], [0.0, 1.0, 2.0])
    assert interval.estimate == pytest.approx(2.0)
    assert interval.low == pytest.approx(math.sqrt(4 / 39), rel=1e-6)
    assert interval.high == pytest.approx(math.sqrt(4 * 39), rel=1e-6)


def test_equal_values_have_no_deviation_to_divide_by():
    interval = deviation_ratio_interval([1.0, 2.0], [3.0, 3.0])
    assert (interval.low, interval.high) == (-math.inf, math.inf)
    assert group_deviation_interval(np.ones((3, 2))).verdict(1.0, above=False) == UNDECIDED


def test_group_deviation_by_hand():
    # Means 1 and 5 of three each, and seeds that do the same to both: the mean squares are 24, 2
    # and 0, so that the variances are 24 / 3 and 2 / 2, and the squared ratio is 8 F(2, 1).
    groups = np.array([[0.0, 1.0, 2.0], [4.0, 5.0, 6.0]])
    interval = group_deviation_interval(groups)
    assert interval.estimate == pytest.approx(math.sqrt(8))
    assert interval.low == pytest.approx(math.sqrt(8 / 38.5063), rel=0.03)  # F(0.975; 1, 2)
    assert interval.high == pytest.approx(math.sqrt(8 * 799.5), rel=0.05)  # F(0.975; 2, 1)
    assert interval.verdict(0.1, above=True) == HOLDS
    # Far fewer differences between groups than within: the limits are 0 and small.
    alike = group_deviation_interval(np.array([[0.0, 10.0, 20.0]] * 5))
    assert alike.low == alike.high == 0.0 and alike.verdict(1.0, above=False) == HOLDS


def test_mean_interval_covers_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    inside = 0
    for sample in rng.normal(3.0, 2.0, size=(4000, 4)):
        interval = mean_interval(sample)
        inside += interval.low < 3.0 < interval.high
    assert abs(inside / 4000 - 0.95) < 0.012


def test_deviation_ratio_covers_the_ratio_as_often_as_it_says():
    rng = np.random.default_rng(1)
    inside = 0
    for first, second in zip(
        rng.normal(0, 3.0, size=(4000, 5)), rng.normal(0, 1.5, size=(4000, 4)), strict=True
    ):
        interval = deviation_ratio_interval(first, second)
        inside += interval.low < 2.0 < interval.high
    assert abs(inside / 4000 - 0.95) < 0.012


@pytest.mark.parametrize(("of_seeds", "rest"), [(0.0, 1.0), (0.9, 0.436), (0.98, 0.2)])
def test_group_deviation_covers_the_ratio_however_much_of_the_deviation_is_of_shared_seeds(
    of_seeds, rest
):
    """A one-way model covers it in 95, 88 and 82 % of all cases."""
    rng, inside = np.random.default_rng(2), 0
    for _ in range(500):
        nets, seeds = rng.normal(0, 1.0, (5, 1)), rng.normal(0, of_seeds, (1, 3))
        interval = group_deviation_interval(nets + seeds + rng.normal(0, rest, (5, 3)))
        inside += interval.low < 1 / math.hypot(of_seeds, rest) < interval.high
    assert 0.93 < inside / 500 < 0.98
