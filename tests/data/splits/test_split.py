"""Seeds and splits: balance, proportions, disjointness, and the draws themselves."""

import numpy as np
import pytest

from tf_mwn.data.seeds import generator
from tf_mwn.data.splits import split


@pytest.mark.parametrize("size", [3, 7, 11, 15])
def test_balanced_classes_differ_by_one_at_most(size):
    labels = np.arange(60) % 3
    rows = split.balanced_indices(labels, size, 3, generator(0, "meta"))
    counts = np.bincount(labels[rows], minlength=3)
    assert counts.sum() == size == len(np.unique(rows)) and np.ptp(counts) <= 1


@pytest.mark.parametrize(
    "size, message",
    [
        (2, "at least one example for each of 3 classes, received 2"),
        (9, "at least 3 examples of class 2 for a balanced subset of 9, received 2"),
        (0, "at least 1, received 0"),
    ],
)
def test_impossible_balance_is_refused(size, message):
    labels = np.array([0] * 5 + [1] * 5 + [2] * 2)
    with pytest.raises(ValueError, match=message):
        split.balanced_indices(labels, size, 3, generator(0, "meta"))


def test_stratified_keeps_the_proportions():
    labels = np.repeat([0, 1, 2], [50, 30, 21])
    rows = split.stratified_indices(labels, 20, 3, generator(0, "train"))
    assert np.bincount(labels[rows]).tolist() == [10, 6, 4]
    everything = split.stratified_indices(labels, 101, 3, generator(0, "train"))
    np.testing.assert_array_equal(everything, np.arange(101))


def test_random_subset_is_sorted_unique_and_bounded():
    rows = split.random_indices(50, 20, generator(0, "validation"))
    assert len(rows) == 20 and np.all(np.diff(rows) > 0) and rows.max() < 50
    with pytest.raises(ValueError, match="at most 50 examples, received 51"):
        split.random_indices(50, 51, generator(0, "validation"))


def test_shared_ids_are_named():
    split.check_disjoint(train=np.arange(5), meta=np.arange(5, 8), test=np.array([], int))
    with pytest.raises(
        ValueError, match="train, meta: expected no example in common, received 2 in both"
    ):
        split.check_disjoint(train=np.arange(5), test=np.array([9]), meta=np.arange(3, 8))
