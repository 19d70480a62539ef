"""Class counts against the published totals, and subsampling."""

import numpy as np
import pytest

from tf_mwn.data.bias import imbalance
from tf_mwn.data.seeds import generator

FACTORS = (200, 100, 50, 20, 10, 1)


@pytest.mark.parametrize(
    "largest, num_classes, totals",
    [
        (4990, 10, [11177, 12380, 13967, 16989, 20391, 49900]),
        (5000, 10, [11203, 12406, 13996, 17023, 20431, 50000]),
        (490, 100, [9304, 10626, 12354, 15594, 19183, 49000]),
        (500, 100, [9502, 10847, 12608, 15907, 19573, 50000]),
    ],
)
def test_long_tailed_totals_are_the_published_ones(largest, num_classes, totals):
    counts = [imbalance.class_counts("long_tailed", f, largest, num_classes) for f in FACTORS]
    assert [count.sum() for count in counts] == totals


def test_long_tailed_counts_are_the_published_ones():
    counts = imbalance.class_counts("long_tailed", 100, 4990, 10)
    assert counts.tolist() == [4990, 2991, 1793, 1075, 644, 386, 231, 138, 83, 49]
    counts = imbalance.class_counts("long_tailed", 100, 5000, 10)
    assert counts.tolist() == [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]
    smallest = [imbalance.class_counts("long_tailed", f, 490, 100)[-1] for f in FACTORS]
    assert smallest == [2, 4, 9, 24, 49, 490]


@pytest.mark.parametrize("largest, factor", [(4900, 49), (300, 3), (70, 7), (1100, 110)])
def test_whole_counts_are_not_lost_to_rounding(largest, factor):
    for kind in imbalance.IMBALANCE_KINDS:
        assert imbalance.class_counts(kind, factor, largest, 2).min() == largest // factor


def test_the_seed_draws_which_classes_are_rare():
    plain = imbalance.class_counts("long_tailed", 100, 4990, 10)
    drawn = [imbalance.class_counts("shuffled_long_tailed", 100, 4990, 10, s) for s in range(5)]
    assert all(sorted(counts) == sorted(plain) for counts in drawn)
    assert len({tuple(counts) for counts in drawn}) == 5
    again = imbalance.class_counts("shuffled_long_tailed", 100, 4990, 10, 3)
    np.testing.assert_array_equal(again, drawn[3])


def test_step_counts():
    assert imbalance.class_counts("step", 10, 100, 4).tolist() == [100, 100, 10, 10]
    assert imbalance.class_counts("step", 8, 100, 3).tolist() == [100, 100, 12]


def test_subsample_keeps_the_counts_in_order():
    labels = np.array([1, 0, 1, 1, 0, 2, 0, 1])
    rows = imbalance.subsample(labels, np.array([2, 3, 0]), generator(0, "imbalance"))
    assert np.bincount(labels[rows], minlength=3).tolist() == [2, 3, 0]
    assert np.all(np.diff(rows) > 0)
    drawn = {tuple(imbalance.subsample(labels, [1, 1, 1], generator(s, "i"))) for s in range(20)}
    assert len(drawn) > 4


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("long_tail", 10, 100, 10), "did you mean 'long_tailed'"),
        (("step", 0.5, 100, 10), r"imbalance_factor: .* in \[1, inf\), received 0.5"),
        (("step", float("nan"), 100, 10), "received nan"),
        (("step", float("inf"), 100, 10), "in \\[1, inf\\), received inf"),
        (("long_tailed", 1000, 100, 10), "received 1000 with a largest class of 100.*class 7"),
        (("step", 101, 100, 10), "empties class 5"),
    ],
)
def test_bad_imbalance_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        imbalance.class_counts(*arguments)


def test_class_with_too_few_examples_is_named():
    with pytest.raises(ValueError, match="at least 3 examples of class 1, received 2"):
        imbalance.subsample(np.array([0, 1, 1]), np.array([1, 3]), generator(0, "imbalance"))
