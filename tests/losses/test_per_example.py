"""Labels of one logit have the rank that the loss needs."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_mwn.losses.per_example import per_example_loss
from tf_mwn.losses.trial import is_per_example

LOGITS = np.array([[0.5], [-1.0], [2.0], [0.0]], "float32")
LABELS = np.array([1, 0, 0, 1])
BRIER = (LABELS - 1 / (1 + np.exp(-LOGITS[:, 0]))) ** 2


def of_columns(labels, logits):
    return tf.reduce_mean(tf.square(tf.cast(labels, logits.dtype) - tf.sigmoid(logits)), -1)


def of_flat_labels(labels, logits):
    return tf.square(tf.cast(labels, logits.dtype) - tf.sigmoid(logits[:, 0]))


class AsLoss(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return of_columns(y_true, y_pred)


@pytest.mark.parametrize("loss", [of_columns, of_flat_labels, AsLoss()])
@pytest.mark.parametrize("shape", [[4], [4, 1]])
def test_one_logit_by_hand(loss, shape):
    per_example = per_example_loss(loss)
    np.testing.assert_allclose(per_example(LABELS.reshape(shape), LOGITS), BRIER, rtol=1e-5)
    traced = tf.function(per_example_loss(loss))
    labels, logits = tf.constant(LABELS.reshape(shape)), tf.constant(LOGITS)
    np.testing.assert_allclose(traced(labels, logits), BRIER, rtol=1e-5)


def brier(y_true, y_pred):
    return keras.ops.mean((y_true - keras.ops.sigmoid(y_pred)) ** 2, axis=-1)


class Brier(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return brier(y_true, y_pred)


@pytest.mark.parametrize("loss", [brier, Brier()])
@pytest.mark.parametrize("shape", [[4], [4, 1]])
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_integers_become_floats_if_the_loss_needs_them_so(loss, shape, dtype):
    labels, logits = tf.constant(LABELS.reshape(shape)), tf.constant(LOGITS, dtype)
    for call in (per_example_loss(loss), tf.function(per_example_loss(loss))):
        np.testing.assert_allclose(call(labels, logits), BRIER, rtol=1e-5)


def test_integer_one_hot_labels_of_a_loss_of_the_users():
    def loss(y_true, y_pred):
        return -tf.reduce_sum(y_true * tf.nn.log_softmax(y_pred), axis=-1)

    one_hot, logits = tf.constant([[0, 1], [1, 0]]), tf.math.log([[0.25, 0.75], [0.5, 0.5]])
    for call in (per_example_loss(loss), tf.function(per_example_loss(loss))):
        np.testing.assert_allclose(call(one_hot, logits), np.log([4 / 3, 2]), rtol=1e-6)


def test_class_numbers_stay_integers_for_a_loss_that_takes_them():
    received = []

    def loss(y_true, y_pred):
        received.append(y_true.dtype)
        return tf.nn.sparse_softmax_cross_entropy_with_logits(y_true, y_pred)

    per_example_loss(loss)(tf.constant([0, 1]), tf.zeros([2, 3]))
    assert received == [tf.int32]
    with pytest.raises(ValueError, match="labels.shape. must equal"):  # what it says of integers
        per_example_loss(loss)(tf.constant([0, 1]), tf.zeros([3, 3]))


def test_a_loss_that_mixes_up_examples():
    labels, logits = tf.constant([0, 1, 1]), tf.constant(LOGITS[:3])
    assert not is_per_example(of_columns, labels, logits)
    assert is_per_example(of_columns, labels[:, tf.newaxis], logits)
    assert not is_per_example(lambda y, z: z[:, 0] - tf.reduce_mean(z), labels, logits)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("sparse_categorical_crossentropy", None),
        ("SparseCategoricalCrossentropy", None),
        ("categorical_crossentropy", [4, 3]),
        ("binary_crossentropy", [4]),
        ("mse", [4, 1]),
    ],
)
def test_a_name_means_the_loss_on_logits(name, shape):
    logits = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    labels = np.array([1, 0, 2, 1])
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    wanted = -np.log(chances[range(4), labels])
    if name == "categorical_crossentropy":
        labels = np.eye(3, dtype="float32")[labels]
    if name in ("binary_crossentropy", "mse"):
        logits, labels = LOGITS, LABELS.reshape(shape)
        chances = 1 / (1 + np.exp(-logits[:, 0]))
        wanted = -np.log(np.where(LABELS, chances, 1 - chances))
        if name == "mse":
            wanted = (LABELS - logits[:, 0]) ** 2
    np.testing.assert_allclose(per_example_loss(name)(labels, logits), wanted, rtol=1e-5)


def test_an_unknown_name_is_one_sentence():
    with pytest.raises(ValueError, match="^loss: expected a loss that Keras knows, received 'ce'$"):
        per_example_loss("ce")
