"""Self-paced weights: published values, slopes and ages."""

import math

import numpy as np
import pytest
import tensorflow as tf

from tf_mwn.losses.poly_soft import poly_soft_of_loss
from tf_mwn.methods.rules import self_paced


def f64(values):
    return tf.constant(values, tf.float64)


def test_published_weights_of_linear_weighting():
    """λ = ln 10: p_y of 0.9, 0.5 and 0.1."""
    weights = self_paced.linear(-tf.math.log(f64([0.9, 0.5, 0.1])), lambda_=math.log(10))
    np.testing.assert_allclose(weights, [0.9542425, 0.6989700, 0], atol=1e-7)


def test_a_weight_is_the_slope_of_the_loss_behind_it():
    losses = f64([0.1, 1.0, 2.4, 2.6, 9.0])
    with tf.GradientTape() as tape:
        tape.watch(losses)
        bent = poly_soft_of_loss(losses, lambda_=2.5, d=3.0)
    weights = self_paced.polynomial(losses, lambda_=2.5, d=3.0)
    np.testing.assert_allclose(weights, tape.gradient(bent, losses), rtol=1e-12)


def test_ages():
    age = float(self_paced.growing_age(f64(3.0), lambda_=2.0, growth=1.1))
    assert age == pytest.approx(2 * 1.1**3)
    losses = f64([5.0, 1.0, 4.0, 2.0, 3.0])
    fractions = (0.01, 0.2, 0.6, 0.61, 1.0)
    assert [float(self_paced.quantile(losses, f)) for f in fractions] == [1, 1, 3, 4, 5]
    age = self_paced.quantile(losses, 0.6)
    assert tf.reduce_sum(self_paced.self_paced(losses, lambda_=age)) == 3
