"""Data that do not fit the classifier or the loss are refused before the first step."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import batch, cnn_with_batch_norm, mlp, subclassed
from tf_mwn import MetaWeightNet, paired_dataset
from tf_mwn.training.elements import check_inputs

X, Y = batch([(5,)], 12, 0)


def pairs(x=X, y=Y, x_meta=X, y_meta=Y):
    return paired_dataset(x, y, x_meta, y_meta, batch_size=4)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (lambda: pairs(x_meta=None, y_meta=None), "received .*no meta set, so give x_meta and"),
        (lambda: tf.data.Dataset.from_tensor_slices((X, Y)), r"received \(inputs, labels\)"),
        (lambda: pairs(x=X[:, :3], x_meta=X[:, :3]), r"inputs: .*shape \[5\], received \[3\]"),
        (lambda: pairs(y=np.where(Y == 2, 3, Y)), "expected y to be below .* 3, received 3"),
        (lambda: pairs(y_meta=Y + 1), "expected y_meta to be below .* 3, received 3"),
        (lambda: pairs(y=np.eye(4)[Y], y_meta=np.eye(4)[Y]), "the 3 classes .* 4 columns"),
    ],
)
def test_data_that_do_not_fit_leave_the_classifier_alone(data, message):
    model = MetaWeightNet(mlp())
    model.compile("sgd")
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        model.fit(data(), verbose=0)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (keras.losses.CategoricalCrossentropy(from_logits=True), "one that fails on them"),
        (lambda labels, logits: tf.reduce_mean(logits), "one that gives one number"),
        (lambda labels, logits: logits[:1], r"one that gives \(1,\)"),
    ],
)
def test_a_loss_gives_one_value_for_each_example(loss, message):
    model = MetaWeightNet(mlp())
    model.compile("sgd", loss=loss)
    with pytest.raises(ValueError, match=f"expected one value for each example, .*{message}"):
        model.fit(pairs(), verbose=0)


def test_inputs_that_the_layers_take_are_taken():
    """A Sequential model runs on other sizes than its Input says; a functional one does not."""
    convolutional = keras.Sequential(
        [keras.Input((6, 6, 2)), keras.layers.Conv2D(3, 3), keras.layers.GlobalAveragePooling2D()]
    )
    larger = np.zeros((2, 8, 8, 2), "float32")
    check_inputs(convolutional, larger)
    with pytest.raises(ValueError, match=r"the classifier's shape \[6, 6, 2\]"):
        check_inputs(cnn_with_batch_norm(), larger)
    check_inputs(subclassed(), np.zeros((2, 7)))  # not known before it is called
