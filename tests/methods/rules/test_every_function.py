"""Weighting functions of a loss: values by hand, limits and extremes."""

import math

import numpy as np
import tensorflow as tf

from tf_mwn.methods.rules import focal_weights, robust_statistics, self_paced


def f64(values):
    return tf.constant(values, tf.float64)


def test_values_by_hand():
    losses = f64([0.0, 0.5, 1.0, 2.0, 3.0])
    np.testing.assert_array_equal(self_paced.self_paced(losses, lambda_=1.0), [1, 1, 1, 0, 0])
    np.testing.assert_allclose(self_paced.linear(losses, lambda_=2.0), [1, 0.75, 0.5, 0, 0])
    expected = [1, 0.75**0.5, 0.5**0.5, 0, 0]
    np.testing.assert_allclose(self_paced.polynomial(losses, lambda_=2.0, d=3.0), expected)
    expected = [1, (4 / 4.5) ** 2, (4 / 5) ** 2, (4 / 6) ** 2, (4 / 7) ** 2]
    np.testing.assert_allclose(robust_statistics.geman_mcclure(losses, sigma=2.0), expected)
    np.testing.assert_allclose(focal_weights.focal_modulator(f64([math.log(2)]), alpha=2.0), [0.25])


def test_limits():
    losses = f64([0.1, 1.0, 2.4, 2.6, 9.0])
    np.testing.assert_array_equal(focal_weights.focal_modulator(losses, alpha=0.0), np.ones(5))
    steep = self_paced.polynomial(losses, lambda_=2.5, d=1e7)
    np.testing.assert_allclose(steep, self_paced.self_paced(losses, lambda_=2.5), atol=1e-6)
    np.testing.assert_allclose(self_paced.linear(losses, lambda_=1e9), np.ones(5), atol=1e-7)
    np.testing.assert_allclose(robust_statistics.geman_mcclure(losses, sigma=1e6), np.ones(5))
    np.testing.assert_allclose(
        robust_statistics.generalized_cross_entropy_weight(losses, q=1e-9), np.ones(5)
    )


def test_extreme_losses_give_finite_weights():
    losses = tf.constant([0.0, 1e-30, 1e4, 3e38])
    for weights in (
        self_paced.polynomial(losses, lambda_=5.0, d=1.01),
        self_paced.polynomial(losses, lambda_=5.0, d=50.0),
        focal_weights.focal_modulator(losses, alpha=2.0),
        robust_statistics.geman_mcclure(losses, sigma=0.1),
        robust_statistics.generalized_cross_entropy_weight(losses, q=1.0),
    ):
        assert np.all((weights >= 0) & (weights <= 1))
