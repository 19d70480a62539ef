"""The focal loss against hand values, Keras and its two implicit weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.losses.loss_table import gradient, logits_of, one_hot, sample
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.losses.focal import focal, log_complement


@pytest.mark.parametrize("detach_modulator", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values(dtype, detach_modulator):
    logits = logits_of([0.9, 0.5, 0.1, 1e-7], dtype)
    losses = focal(np.zeros(4, "int32"), logits, gamma=2.0, detach_modulator=detach_modulator)
    expected = [0.0010536051, 0.1732868, 1.8650939, 16.118092]
    np.testing.assert_allclose(losses, expected, rtol=1e-6)


def test_keras_computes_the_same_from_probabilities():
    labels, logits = sample()
    oracle = keras.losses.CategoricalFocalCrossentropy(
        alpha=1.0, gamma=1.5, dtype="float64", reduction=None
    )
    losses = focal(labels, logits, gamma=1.5)
    expected = oracle(one_hot(labels), tf.nn.softmax(logits))
    np.testing.assert_allclose(losses, expected, rtol=1e-6)


@pytest.mark.parametrize("detach_modulator", [False, True])
def test_gamma_of_zero_is_cross_entropy(detach_modulator):
    labels, logits = sample()
    losses = focal(labels, logits, gamma=0.0, detach_modulator=detach_modulator)
    np.testing.assert_array_equal(losses, cross_entropy(labels, logits))


@pytest.mark.parametrize("gamma", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("detach_modulator", [False, True])
def test_the_gradient_is_the_implicit_weight_times_that_of_cross_entropy(gamma, detach_modulator):
    labels, logits = sample()
    p = tf.nn.softmax(logits).numpy()
    p_y = p[np.arange(6), labels][:, None]
    weight = (1 - p_y) ** gamma
    if not detach_modulator:
        weight -= gamma * p_y * (1 - p_y) ** (gamma - 1) * np.log(p_y)
    slope = gradient(
        lambda z: focal(labels, z, gamma=gamma, detach_modulator=detach_modulator), logits
    )
    np.testing.assert_allclose(slope, weight * (p - one_hot(labels)), rtol=1e-10)


def test_a_detached_modulator_still_depends_on_gamma():
    labels, logits = sample()
    slopes = [
        gradient(
            lambda g, d=d: focal(labels, logits, gamma=g, detach_modulator=d), tf.constant(2.0)
        )
        for d in (False, True)
    ]
    assert slopes[0] == slopes[1] != 0


def test_the_complement_keeps_its_digits_where_p_rounds_to_one():
    log_rest = log_complement(tf.constant([[200.0, 0.0, 0.0], [0.0, 0.0, -1e4], [3.0, 1.0, 2.0]]))
    np.testing.assert_allclose(log_rest[0, 0], np.log(2) - 200, rtol=1e-6)
    np.testing.assert_allclose(log_rest[1], np.log([0.5, 0.5, 1.0]), rtol=1e-6)
    np.testing.assert_allclose(log_rest[2], np.log(1 - tf.nn.softmax([3.0, 1.0, 2.0])), rtol=1e-6)
