"""Losses with weights by a fixed rule: ages, classes and constants."""

import numpy as np
import tensorflow as tf

from tests.methods.steps_of_objectives import LABELS, P_Y, batch, logits_of, weights
from tf_mwn.methods.rules.weighted_loss import ClassWeighting, HardMining, LossWeighting, SelfPaced


def test_the_objective_is_the_mean_of_weight_times_loss_and_weights_are_constants():
    objective = LossWeighting("linear", {"lambda_": 2.0})
    logits = logits_of(P_Y)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value, v = objective.objective(logits, batch())
    losses = -np.log(P_Y)
    np.testing.assert_allclose(v, 1 - losses / 2, rtol=1e-5)
    np.testing.assert_allclose(value, np.mean(v * losses), rtol=1e-5)
    expected = v[:, None] * (tf.nn.softmax(logits) - tf.one_hot(LABELS, 3)) / 4
    np.testing.assert_allclose(tape.gradient(value, logits), expected, atol=1e-6)


def test_a_growing_age_lets_harder_examples_in():
    objective = SelfPaced(10, "growing", lambda_=0.6, growth=1.5)
    np.testing.assert_array_equal(weights(objective, P_Y), [1, 0, 0, 1])
    np.testing.assert_array_equal(weights(objective, P_Y, step=9), [1, 0, 0, 1])
    np.testing.assert_array_equal(weights(objective, P_Y, step=10), [1, 1, 0, 1])
    np.testing.assert_array_equal(weights(objective, P_Y, step=30), [1, 1, 1, 1])
    np.testing.assert_allclose(objective.scalars()["lambda"], 0.6 * 1.5**3, rtol=1e-6)


def test_a_percentile_age_keeps_a_fraction_and_follows_slowly():
    objective = SelfPaced(10, "percentile", fraction=0.5, memory=0.5)
    np.testing.assert_array_equal(weights(objective, P_Y), [1, 0, 0, 1])
    weights(objective, [0.99, 0.98, 0.97, 0.96], step=1)
    age = 0.5 * (-np.log(0.6) - np.log(0.98))
    np.testing.assert_allclose(objective.scalars()["lambda"], age, rtol=1e-4)


def test_a_class_weight_may_start_later():
    objective = ClassWeighting([1.0, 2.0, 3.0], start_step=5)
    np.testing.assert_array_equal(weights(objective, P_Y, step=4), [1, 1, 1, 1])
    np.testing.assert_array_equal(weights(objective, P_Y, step=5), [1, 2, 3, 1])


def test_hard_mining_keeps_the_small_classes():
    objective = HardMining([50, 50, 10], lambda_=0.6)
    np.testing.assert_array_equal(weights(objective, [0.9, 0.5, 0.99, 0.6]), [0, 1, 1, 0])
