"""Forward correction: identities, zeros in T."""

import numpy as np
import tensorflow as tf

from tests.losses.loss_table import TRANSITIONS, gradient, one_hot, sample
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.losses.label_correction import forward_correction


def test_the_identity_matrix_changes_nothing():
    labels, logits = sample()
    expected = cross_entropy(labels, logits)
    losses = forward_correction(labels, logits, transition_matrix=np.eye(4))
    np.testing.assert_allclose(losses, expected, rtol=1e-12)


def test_definitions():
    labels, logits = sample()
    p, rows = tf.nn.softmax(logits).numpy(), np.arange(6)
    matrix = np.array(TRANSITIONS)
    forward = -np.log(p @ matrix)[rows, labels]
    for same in (labels, one_hot(labels)):
        value = forward_correction(same, logits, transition_matrix=matrix)
        np.testing.assert_allclose(value, forward, rtol=1e-12)


def test_uniform_transitions_teach_nothing():
    labels, logits = sample()
    uniform = np.full((4, 4), 0.25)
    losses = forward_correction(labels, logits, transition_matrix=uniform)
    np.testing.assert_allclose(losses, np.full(6, np.log(4)), rtol=1e-12)
    slope = gradient(lambda z: forward_correction(labels, z, transition_matrix=uniform), logits)
    np.testing.assert_allclose(slope, np.zeros((6, 4)), atol=1e-15)


def test_the_gradient_in_an_entry_that_is_zero():
    labels, logits = sample()
    p = tf.nn.softmax(logits).numpy()
    matrix = tf.eye(4, dtype=tf.float64)
    slope = gradient(lambda t: forward_correction(labels, logits, transition_matrix=t), matrix)
    expected = np.zeros((4, 4))
    for row, label in zip(p, labels, strict=True):
        expected[:, label] -= row / row[label]
    np.testing.assert_allclose(slope, expected, rtol=1e-10)


def test_underflow_and_labels_out_of_reach():
    logits = tf.constant([[1e4, 0.0], [1e4, 0.0]])
    losses = forward_correction([1, 1], logits, transition_matrix=np.eye(2))
    np.testing.assert_allclose(losses, [1e4, 1e4])
    unreachable = forward_correction([1, 0], logits, transition_matrix=[[1.0, 0], [1.0, 0]])
    np.testing.assert_allclose(unreachable, [1e30, 0.0], rtol=1e-6, atol=1e-6)
