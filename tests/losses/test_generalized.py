"""Generalised cross-entropy against hand values, limits and closed forms."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.losses.loss_table import gradient, logits_of, one_hot, sample
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.losses.generalized import generalized_cross_entropy
from tf_mwn.losses.symmetric import mean_absolute_error

P_Y = [0.9, 0.5, 0.1, 1e-7]
LABELS = np.zeros(4, "int32")


@pytest.mark.parametrize("classes", [2, 10])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "q, expected",
    [
        (0.7, [0.1015690, 0.5491826, 1.1435340, 1.4285534]),
        (1.0, [0.1, 0.5, 0.9, 0.9999999]),
    ],
)
def test_values(q, expected, dtype, classes):
    losses = generalized_cross_entropy(LABELS, logits_of(P_Y, dtype, classes=classes), q=q)
    np.testing.assert_allclose(losses, expected, rtol=1e-6)


@pytest.mark.parametrize("q", [0.0, 1e-30, 1e-12, 1e-7])
def test_small_q_is_cross_entropy(q):
    labels, logits = sample()
    losses = generalized_cross_entropy(labels, logits, q=q)
    np.testing.assert_allclose(losses, cross_entropy(labels, logits), rtol=1e-6)


def test_the_derivative_in_q_tends_to_minus_half_the_squared_cross_entropy():
    labels, logits = sample()
    expected = -0.5 * tf.reduce_sum(cross_entropy(labels, logits) ** 2)
    for q in (0.0, 1e-9):
        q = tf.constant(q, tf.float64)
        slope = gradient(lambda q: generalized_cross_entropy(labels, logits, q=q), q)
        np.testing.assert_allclose(slope, expected, rtol=1e-7)


def test_q_of_1_is_half_the_mean_absolute_error():
    labels, logits = sample()
    losses = generalized_cross_entropy(labels, logits, q=1.0)
    np.testing.assert_allclose(losses, mean_absolute_error(labels, logits) / 2, rtol=1e-12)


@pytest.mark.parametrize("q", [0.0, 0.3, 1.0])
def test_the_gradient_is_the_implicit_weight_times_that_of_cross_entropy(q):
    labels, logits = sample()
    p = tf.nn.softmax(logits).numpy()
    p_y = p[np.arange(6), labels][:, None]
    slope = gradient(lambda z: generalized_cross_entropy(labels, z, q=q), logits)
    np.testing.assert_allclose(slope, p_y**q * (p - one_hot(labels)), rtol=1e-10)


def test_keras_computes_the_same_from_probabilities():
    labels, logits = sample()
    oracle = keras.losses.CategoricalGeneralizedCrossEntropy(q=0.5, dtype="float64", reduction=None)
    losses = generalized_cross_entropy(labels, logits, q=0.5)
    np.testing.assert_allclose(losses, oracle(labels, tf.nn.softmax(logits)), rtol=1e-6)
