"""Measures by hand."""

import numpy as np
import pytest

from tf_mwn.label_noise.measures import (
    effective_fraction,
    mean_weight_by_class,
    memorised,
    noise_auc,
    weight_change,
    weight_measures,
    weight_spread,
)

WRONG = np.array([True, False, True, False])


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ([0.1, 0.8, 0.2, 0.9], 1.0),  # every wrong label below every correct one
        ([0.9, 0.1, 0.8, 0.2], 0.0),
        ([0.5, 0.5, 0.5, 0.5], 0.5),  # ties count half
        ([0.1, 0.8, 0.8, 0.9], 0.875),  # pairs: 1, 1, ½, 1
    ],
)
def test_noise_auc(weights, expected):
    assert noise_auc(np.array(weights), WRONG) == pytest.approx(expected)


def test_noise_auc_needs_both_kinds():
    assert noise_auc(np.ones(4), np.zeros(4, bool)) is None
    assert noise_auc(np.ones(4), np.ones(4, bool)) is None


def test_memorised_counts_wrong_labels_only():
    labels, predictions = np.array([1, 1, 2, 2]), np.array([1, 0, 0, 2])
    assert memorised(predictions, labels, WRONG) == 0.5
    assert memorised(predictions, labels, np.zeros(4, bool)) is None


def test_effective_fraction():
    assert effective_fraction(np.full(5, 0.3)) == pytest.approx(1.0)
    assert effective_fraction(np.array([1.0, 0.0, 0.0, 0.0])) == pytest.approx(0.25)
    assert effective_fraction(np.zeros(4)) == 0.0


def test_weight_change_is_that_of_weights_of_mean_one():
    before, after = np.array([1.0, 1.0, 2.0, 4.0]), np.array([2.0, 2.0, 4.0, 8.0])
    assert weight_change(before, after) == 0.0  # the scale alone
    # Divided by their mean 2: 1/2 1/2 1 2, and then 1 1 1 1.
    assert weight_change(before, np.full(4, 0.3)) == pytest.approx((0.5 + 0.5 + 0 + 1) / 4)
    assert weight_change(np.zeros(4), before) is None


def test_weight_measures():
    measures = weight_measures(np.array([0.2, 0.6, 0.4, 0.8]), WRONG)
    assert measures["mean_weight_all"] == pytest.approx(0.5)
    assert measures["mean_weight_wrong"] == pytest.approx(0.3)
    assert measures["mean_weight_correct"] == pytest.approx(0.7)
    assert measures["noise_auc"] == 1.0
    known = {"mean_weight_all", "effective_fraction", "weight_spread"}
    assert set(weight_measures(np.ones(3), None)) == known


def test_the_spread_is_between_the_5th_and_the_95th_percentile():
    assert weight_spread(np.arange(101) / 100) == pytest.approx(0.9)
    assert weight_spread(np.full(4, 0.3)) == 0.0


LABELS = np.array([0, 1, 2, 1])


def test_mean_weight_by_class_by_hand():
    means = mean_weight_by_class(np.array([0.1, 0.5, 0.9, 0.7]), LABELS, 4)
    np.testing.assert_allclose(means, [0.1, 0.6, 0.9, np.nan])
