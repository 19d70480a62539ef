"""Cross-entropy, mean absolute error and the symmetric loss against hand values and identities."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.losses.loss_table import gradient, logits_of, one_hot, sample
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.losses.symmetric import (
    LOG_ZERO,
    mean_absolute_error,
    reverse_cross_entropy,
    symmetric_cross_entropy,
)

LABELS = np.zeros(4, "int32")
P_Y = [0.9, 0.5, 0.1, 1e-7]
VALUES = {
    "ce": (cross_entropy, {}, [0.1053605, 0.6931472, 2.3025851, 16.118096]),
    "mae": (mean_absolute_error, {}, [0.2, 1.0, 1.8, 1.9999998]),
    "rce": (reverse_cross_entropy, {"log_zero": -4.0}, [0.4, 2.0, 3.6, 3.9999996]),
    "rce, default": (reverse_cross_entropy, {}, [0.9210340, 4.6051702, 8.2893063, 9.2103395]),
}


@pytest.mark.parametrize("classes", [2, 10])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", VALUES)
def test_values(name, dtype, classes):
    function, hyper_parameters, expected = VALUES[name]
    losses = function(LABELS, logits_of(P_Y, dtype, classes=classes), **hyper_parameters)
    np.testing.assert_allclose(losses, expected, rtol=1e-6)


def test_the_default_stands_for_labels_clipped_at_1e_minus_4():
    labels, logits = sample()
    clipped = np.clip(one_hot(labels), 1e-4, 1)
    expected = -tf.reduce_sum(tf.nn.softmax(logits) * np.log(clipped), axis=-1)
    assert LOG_ZERO == math.log(1e-4)
    np.testing.assert_allclose(reverse_cross_entropy(labels, logits), expected, rtol=1e-12)


def test_identities():
    labels, logits = sample()
    mae = mean_absolute_error(labels, logits)
    ce = cross_entropy(labels, logits)
    np.testing.assert_allclose(
        ce,
        keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True),
        rtol=1e-12,
    )
    reverse = reverse_cross_entropy(labels, logits, log_zero=-2.0)
    np.testing.assert_allclose(reverse, mae, rtol=1e-12)
    both = symmetric_cross_entropy(labels, logits, alpha=0.0, beta=0.5, log_zero=-4.0)
    np.testing.assert_allclose(both, mae, rtol=1e-12)
    only = symmetric_cross_entropy(labels, logits, alpha=1.0, beta=0.0)
    np.testing.assert_allclose(only, ce, rtol=1e-12)


def test_soft_labels():
    _, logits = sample()
    p = tf.nn.softmax(logits)
    np.testing.assert_allclose(mean_absolute_error(p, logits), np.zeros(6), atol=1e-15)
    soft = np.full((6, 4), [0.0, 0.5, 0.2, 0.3])
    logs = [-6.0, np.log(0.5), np.log(0.2), np.log(0.3)]
    expected = -np.sum(p * logs, axis=-1)
    losses = reverse_cross_entropy(soft, logits, log_zero=-6.0)
    np.testing.assert_allclose(losses, expected, rtol=1e-12)


WEIGHTS = {
    "mae": (mean_absolute_error, {}, lambda p: 2 * p),
    "rce": (reverse_cross_entropy, {"log_zero": -3.0}, lambda p: 3 * p),
    "sce": (symmetric_cross_entropy, {"alpha": 0.4, "log_zero": -3.0}, lambda p: 0.4 + 3 * p),
    "ce": (cross_entropy, {}, np.ones_like),
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_the_gradient_is_the_implicit_weight_times_that_of_cross_entropy(name):
    function, hyper_parameters, weight = WEIGHTS[name]
    labels, logits = sample()
    p = tf.nn.softmax(logits).numpy()
    p_y = p[np.arange(6), labels][:, None]
    slope = gradient(lambda z: function(labels, z, **hyper_parameters), logits)
    np.testing.assert_allclose(slope, weight(p_y) * (p - one_hot(labels)), rtol=1e-10)
