"""Generalised and truncated cross-entropy against hand values, limits and closed forms."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.losses.loss_table import gradient, logits_of, one_hot, sample
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.losses.generalized import (
    generalized_cross_entropy,
    truncated_cross_entropy,
    truncation_mask,
)
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


def test_truncation_is_constant_below_k_and_changes_nothing_above():
    logits = logits_of(P_Y)
    losses = truncated_cross_entropy(LABELS, logits, q=0.7, k=0.3)
    plain = generalized_cross_entropy(LABELS, logits, q=0.7)
    at_k = (1 - 0.3**0.7) / 0.7
    np.testing.assert_allclose(losses, [plain[0], plain[1], at_k, at_k], rtol=1e-9)
    slope = gradient(lambda z: truncated_cross_entropy(LABELS, z, q=0.7, k=0.3), logits)
    np.testing.assert_array_equal(slope[2:], np.zeros((2, 2)))
    full = gradient(lambda z: generalized_cross_entropy(LABELS, z, q=0.7), logits)
    np.testing.assert_allclose(slope[:2], full[:2], rtol=1e-12)


def test_the_current_mask_is_the_threshold_and_an_old_one_replaces_it():
    logits = logits_of(P_Y)
    mask = truncation_mask(LABELS, logits, k=0.3)
    np.testing.assert_array_equal(mask, [1, 1, 0, 0])
    expected = truncated_cross_entropy(LABELS, logits, q=0.7, k=0.3)
    masked = truncated_cross_entropy(LABELS, logits, q=0.7, k=0.3, keep=mask)
    np.testing.assert_allclose(masked, expected, rtol=1e-12)
    old = truncated_cross_entropy(LABELS, logits, q=0.7, k=0.3, keep=[0, 1, 1, 0])
    plain = generalized_cross_entropy(LABELS, logits, q=0.7)
    at_k = (1 - 0.3**0.7) / 0.7
    np.testing.assert_allclose(old, [at_k, plain[1], plain[2], at_k], rtol=1e-9)
