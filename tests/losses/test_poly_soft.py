"""PolySoft against hand values, its limits and its weight."""

import numpy as np
import pytest
import tensorflow as tf

from tests.losses.loss_table import gradient, logits_of, one_hot, sample
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.losses.poly_soft import poly_soft, poly_soft_of_loss

LN10 = np.log(10.0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_and_weights(dtype):
    logits = logits_of([0.9, 0.5, 0.1 * (1 - 1e-9), 1e-7], dtype)
    labels = np.zeros(4, "int32")
    losses = poly_soft(labels, logits, lambda_=LN10, d=2.0)
    expected = [0.1029500, 0.5888182, 1.1512925, 1.1512925]
    np.testing.assert_allclose(losses, expected, rtol=1e-6)
    weights = gradient(lambda x: poly_soft_of_loss(x, lambda_=LN10), cross_entropy(labels, logits))
    np.testing.assert_allclose(weights, [0.9542425, 0.6989700, 0, 0], rtol=1e-6)


def test_limits():
    losses = tf.constant([0.0, 0.3, 1.9, 2.5, 7.0], tf.float64)
    linear = poly_soft_of_loss(losses, lambda_=2.0, d=2.0)
    inside = np.minimum(losses, 2)
    np.testing.assert_allclose(linear, inside - inside**2 / 4, rtol=1e-12)
    self_paced = poly_soft_of_loss(losses, lambda_=2.0, d=1e9)
    np.testing.assert_allclose(self_paced, inside, rtol=1e-7)
    unbent = poly_soft_of_loss(losses, lambda_=1e10, d=2.0)
    np.testing.assert_allclose(unbent, losses, rtol=1e-8)
    collapsed = poly_soft_of_loss(losses, lambda_=2.0, d=1 + 1e-9)
    np.testing.assert_allclose(collapsed, np.zeros(5), atol=1e-8)


def test_large_lambda_is_cross_entropy_in_float32():
    labels, logits = sample(dtype="float32")
    losses = poly_soft(labels, logits, lambda_=1e6)
    np.testing.assert_allclose(losses, cross_entropy(labels, logits), rtol=1e-5)


def test_self_paced_weights_are_an_indicator():
    losses = tf.constant([0.0, 0.3, 1.9, 2.5], tf.float64)
    weights = gradient(lambda x: poly_soft_of_loss(x, lambda_=2.0, d=1e9), losses)
    np.testing.assert_allclose(weights, [1, 1, 1, 0], rtol=1e-7)


@pytest.mark.parametrize("d", [1.2, 2.0, 5.0])
def test_the_gradient_is_the_weight_times_that_of_cross_entropy(d):
    labels, logits = sample()
    ratio = cross_entropy(labels, logits).numpy() / 1.5
    weight = np.maximum(0, 1 - ratio) ** (1 / (d - 1))
    expected = weight[:, None] * (tf.nn.softmax(logits).numpy() - one_hot(labels))
    slope = gradient(lambda z: poly_soft(labels, z, lambda_=1.5, d=d), logits)
    np.testing.assert_allclose(slope, expected, rtol=1e-9)


def test_derivatives_of_the_weight_in_lambda_and_d():
    losses, lambda_, d = tf.constant([0.4, 1.3], tf.float64), 2.0, 3.0
    gap = 1 - losses.numpy() / lambda_
    weight = gap ** (1 / (d - 1))
    expected = {
        "lambda_": weight * losses / (lambda_**2 * gap * (d - 1)),
        "d": -weight * np.log(gap) / (d - 1) ** 2,
    }
    for key, value in expected.items():
        options = {"lambda_": tf.constant(lambda_, tf.float64), "d": tf.constant(d, tf.float64)}
        with tf.GradientTape() as tape:
            tape.watch(options)
            weights = gradient(lambda x, o=options: poly_soft_of_loss(x, **o), losses)
        np.testing.assert_allclose(tape.jacobian(weights, options[key]), value, rtol=1e-9)


def test_the_edge_is_finite_and_continuous():
    lambda_ = tf.constant(2.0, tf.float32)
    near = lambda_ * (1 - tf.constant([0.0, 6e-8, 1e-7, 1e-6, 2e-6]))
    with tf.GradientTape() as tape:
        tape.watch(lambda_)
        weights = gradient(lambda x: poly_soft_of_loss(x, lambda_=lambda_, d=20.0), near)
    assert np.isfinite(tape.gradient(weights, lambda_))
    losses = poly_soft_of_loss(near, lambda_=2.0, d=20.0)
    np.testing.assert_allclose(losses, np.full(5, 1.9), rtol=1e-5)
