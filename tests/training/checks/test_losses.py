"""A loss is known by what it does with a few logits, not by its name."""

import keras
import pytest
import tensorflow as tf

from tf_mwn.losses.per_example import per_example_loss
from tf_mwn.training.checks.losses import LabelRange, check_loss

K = keras.losses
NUMBERS, ONE_HOT = tf.TensorSpec([None], tf.int64), tf.TensorSpec([None, 3], tf.float32)
COLUMN = tf.TensorSpec([None, 1], tf.float32)


def tried(loss, labels=NUMBERS, classes=3):
    return check_loss(per_example_loss(loss), labels, classes)


def log_of_output(labels, p):
    return -tf.math.log(tf.gather(p, labels, batch_dims=1))


def clipped(labels, p):
    return -tf.math.log(tf.clip_by_value(tf.gather(p, labels, batch_dims=1), 1e-7, 1.0))


def cross_entropy(labels, z):
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, z)


@pytest.mark.parametrize(
    ("loss", "labels"),
    [
        (K.CategoricalGeneralizedCrossEntropy(), NUMBERS),
        (K.KLDivergence(), ONE_HOT),
        (K.Poisson(), ONE_HOT),
        (K.Tversky(axis=(1,)), ONE_HOT),
        (K.Dice(axis=(1,)), ONE_HOT),
        (K.MeanSquaredLogarithmicError(), ONE_HOT),
        (log_of_output, NUMBERS),
        (clipped, NUMBERS),
        (lambda y, z: -cross_entropy(y, z), NUMBERS),
        (K.Circle(), NUMBERS),
    ],
    ids=lambda value: getattr(value, "name", getattr(value, "__name__", None)),
)
def test_losses_that_do_not_take_logits(loss, labels):
    with pytest.raises(ValueError, match="^loss: expected .*received one that"):
        tried(loss, labels)


@pytest.mark.parametrize(
    ("loss", "labels", "found"),
    [
        (None, NUMBERS, LabelRange(0, 2)),
        (None, ONE_HOT, LabelRange(0, 1, sums_to_one=True)),
        (K.SparseCategoricalCrossentropy(from_logits=True), NUMBERS, LabelRange(0, 2)),
        (K.CategoricalFocalCrossentropy(from_logits=True), ONE_HOT, LabelRange(0, 1, True)),
        (K.CategoricalCrossentropy(True, label_smoothing=0.2), ONE_HOT, LabelRange(0, 1, True)),
        (K.BinaryCrossentropy(True, label_smoothing=0.1), ONE_HOT, LabelRange(0, 1)),
        (K.SquaredHinge(), ONE_HOT, LabelRange(-1, 1)),
        (K.MeanSquaredError(), ONE_HOT, LabelRange()),  # a regression of three numbers
        (K.Huber(), ONE_HOT, LabelRange()),
        (tf.nn.sigmoid_cross_entropy_with_logits, ONE_HOT, LabelRange(0, 1)),
        (lambda y, z: clipped(y, tf.nn.softmax(z)), NUMBERS, LabelRange(0, 2)),
    ],
)
def test_losses_on_logits_and_the_labels_they_take(loss, labels, found):
    assert tried(loss, labels) == found


@pytest.mark.parametrize(
    ("loss", "labels", "found"),
    [
        (K.BinaryCrossentropy(from_logits=True), NUMBERS, LabelRange(0, 1)),
        (K.Hinge(), COLUMN, LabelRange(-1, 1)),
        (K.MeanSquaredError(), COLUMN, LabelRange()),
        (lambda y, z: (z[:, 0] - tf.cast(y, z.dtype)) ** 2, NUMBERS, LabelRange()),
    ],
)
def test_one_logit(loss, labels, found):
    assert tried(loss, labels, classes=1) == found


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (K.KLDivergence(), "does not depend on the output of an example of label 1 below 0"),
        (lambda y, z: tf.nn.softplus(-tf.cast(y, z.dtype) * z[:, 0]), "of label 0 above 1"),
        (lambda y, z: -tf.math.log(z[:, 0]) + 0 * tf.cast(y, z.dtype), "NaN or infinity"),
        (lambda y, z: tf.reduce_sum((tf.cast(y, z.dtype)[tf.newaxis] - z) ** 2, -1), "mixes up"),
    ],
)
def test_one_logit_refused(loss, message):
    with pytest.raises(ValueError, match=message):
        tried(loss, classes=1)


def test_class_numbers_and_two_logits_under_a_squared_error():
    """Two labels and two logits broadcast; three show it."""
    with pytest.raises(ValueError, match="mixes up examples|fails on them"):
        tried(K.MeanSquaredError(), classes=2)


def test_a_loss_that_draws_random_numbers_is_no_loss_that_mixes_up_examples():
    def jittered(labels, z):
        return cross_entropy(labels, z + tf.random.normal(tf.shape(z), stddev=1e-3))

    assert tried(jittered) == LabelRange(0, 2)
