"""Reed's two losses as mixtures of cross-entropy with the prediction's own terms."""

import numpy as np
import pytest
import tensorflow as tf

from tests.losses.loss_table import gradient, one_hot, sample
from tf_mwn.losses.bootstrapping import reed_hard, reed_soft
from tf_mwn.losses.cross_entropy import cross_entropy


def test_definitions():
    labels, logits = sample()
    p = tf.nn.softmax(logits).numpy()
    y, beta = one_hot(labels), 0.7
    soft = -np.sum((beta * y + (1 - beta) * p) * np.log(p), axis=-1)
    np.testing.assert_allclose(reed_soft(labels, logits, beta=beta), soft, rtol=1e-12)
    hard = -np.sum((beta * y + (1 - beta) * np.eye(4)[p.argmax(-1)]) * np.log(p), axis=-1)
    np.testing.assert_allclose(reed_hard(labels, logits, beta=beta), hard, rtol=1e-12)


@pytest.mark.parametrize("function", [reed_soft, reed_hard])
def test_beta_of_one_is_cross_entropy(function):
    labels, logits = sample()
    losses = function(labels, logits, beta=1.0)
    np.testing.assert_allclose(losses, cross_entropy(labels, logits), rtol=1e-12)


def test_a_certain_prediction_has_no_entropy():
    logits = tf.constant([[1e4, 0.0, 0.0]])
    np.testing.assert_array_equal(reed_soft([0], logits, beta=0.5), [0.0])
    np.testing.assert_array_equal(reed_soft([1], logits, beta=0.5), [5000.0])


def test_the_gradient_flows_through_the_soft_target():
    labels, logits = sample()
    p = tf.nn.softmax(logits).numpy()
    entropy = -np.sum(p * np.log(p), axis=-1, keepdims=True)
    expected = 0.6 * (p - one_hot(labels)) - 0.4 * p * (np.log(p) + entropy)
    slope = gradient(lambda z: reed_soft(labels, z, beta=0.6), logits)
    np.testing.assert_allclose(slope, expected, rtol=1e-10)


def test_the_gradient_of_the_hard_target():
    labels, logits = sample()
    p = tf.nn.softmax(logits).numpy()
    expected = 0.6 * (p - one_hot(labels)) + 0.4 * (p - np.eye(4)[p.argmax(-1)])
    slope = gradient(lambda z: reed_hard(labels, z, beta=0.6), logits)
    np.testing.assert_allclose(slope, expected, rtol=1e-10)
