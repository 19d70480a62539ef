"""Weights that follow each example: what is kept of it, and when."""

import numpy as np
import pytest

from tests.methods.steps_of_objectives import P_Y, weights
from tf_mwn.methods.rules.example_weighting import (
    AdaBoost,
    PredictionVariance,
    RandomWeights,
    RefreshedWeighting,
)


def test_prediction_variance_by_hand():
    objective = PredictionVariance(6, steps_per_epoch=1, epsilon=0.2, warmup_epochs=2)
    ids = (5, 1, 2, 0)
    np.testing.assert_array_equal(weights(objective, [0.9, 0.5, 0.2, 0.6], 0, ids), np.ones(4))
    np.testing.assert_array_equal(weights(objective, [0.5, 0.5, 0.4, 0.6], 1, ids), np.ones(4))
    last = weights(objective, [0.9, 0.5, 0.6, 0.6], 2, ids)
    variance = np.array([np.var(h, ddof=1) for h in ([0.9, 0.5, 0.9], [0.2, 0.4, 0.6])])
    raw = np.sqrt(variance + variance**2 / 2) + 0.2
    raw = np.array([raw[0], 0.2, raw[1], 0.2])
    np.testing.assert_allclose(last, raw / raw.mean(), rtol=1e-3)
    newcomer = weights(objective, [0.9, 0.5, 0.6, 0.6], 3, (5, 1, 2, 4))
    assert newcomer[3] == 1 and newcomer[:3].mean() == pytest.approx(1, rel=1e-5)


def test_iterative_weights_are_kept_between_renewals():
    objective = RefreshedWeighting("gce", {"q": 1.0}, 4, steps_per_epoch=2, refresh_epochs=2)
    np.testing.assert_allclose(weights(objective, P_Y, step=0), P_Y, rtol=1e-5)
    other = [0.3, 0.3, 0.3, 0.3]
    np.testing.assert_allclose(weights(objective, other, step=2), P_Y, rtol=1e-5)
    np.testing.assert_allclose(weights(objective, other, step=4), other, rtol=1e-5)


def test_boosting_weighs_from_the_second_round_on():
    objective = AdaBoost(4, steps_per_epoch=1, round_epochs=2, clip=2.0)
    for step in (0, 1):
        np.testing.assert_array_equal(weights(objective, [0.9, 0.9, 0.9, 0.1], step), np.ones(4))
    # err = ¼, factor 3 · 2 = 6: 6 · 4/9 is clipped, the others weigh 4/9.
    after = weights(objective, [0.9, 0.9, 0.1, 0.9], 2)
    np.testing.assert_allclose(after, [4 / 9, 4 / 9, 4 / 9, 2], rtol=1e-5)
    np.testing.assert_allclose(weights(objective, P_Y, 3), after, rtol=1e-5)


def test_random_weights_have_mean_one_and_follow_the_example():
    objective = RandomWeights(40, seed=3)
    first = weights(objective, P_Y, step=5)
    assert first.mean() == pytest.approx(1, rel=1e-5)
    np.testing.assert_array_equal(weights(objective, P_Y, step=5), first)
    swapped = weights(objective, P_Y, step=5, ids=(3, 2, 1, 0))
    np.testing.assert_allclose(swapped, first[::-1], rtol=1e-6)
    assert not np.allclose(weights(objective, P_Y, step=6), first)


def test_an_id_that_occurs_twice_in_a_batch_counts_once():
    objective = PredictionVariance(4, 1, warmup_epochs=0)
    weights(objective, [0.9, 0.5, 0.2, 0.6], 0, (0, 0, 1, 1))
    np.testing.assert_array_equal(objective._history.count, [1, 1, 0, 0])
    np.testing.assert_allclose(objective._history.mean, [0.7, 0.4, 0, 0], rtol=1e-5)
