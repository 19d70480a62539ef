"""Probabilities as outputs are found by their values, whatever the last layer is called."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import batch
from tf_mwn import CrossEntropy, MetaWeightNet, paired_dataset
from tf_mwn.training.checks.outputs import check_logits

L = keras.layers


class SoftmaxWithin(L.Dense):
    def call(self, inputs):
        return keras.ops.softmax(super().call(inputs))


class Subclassed(keras.Model):
    def __init__(self, function):
        super().__init__()
        self.out, self.function = L.Dense(3), function

    def call(self, inputs):
        return self.function(self.out(inputs))


def ending_in(*layers):
    return keras.Sequential([keras.Input((5,)), L.Dense(4, activation="tanh"), *layers])


def of_an_operation():
    inputs = keras.Input((5,))
    return keras.Model(inputs, keras.ops.softmax(L.Dense(3)(inputs)))


def of_named_inputs():
    inputs = {"a": keras.Input((2,), name="a"), "b": keras.Input((3,), name="b")}
    z = L.Dense(3, activation=tf.nn.softmax)(L.Concatenate()(list(inputs.values())))
    return keras.Model(inputs, z)


def of_sentences():
    embedding = L.Embedding(9, 4, mask_zero=True)
    layers = [keras.Input((None,), dtype="int64"), embedding, L.GlobalAveragePooling1D()]
    return keras.Sequential([*layers, L.Dense(3, activation=tf.nn.softmax)])


@pytest.mark.parametrize(
    ("classifier", "kind"),
    [
        (lambda: ending_in(L.Dense(3, activation=tf.nn.softmax)), "that sum to 1"),
        (lambda: ending_in(L.Dense(3), L.Lambda(tf.nn.softmax)), "that sum to 1"),
        (lambda: ending_in(SoftmaxWithin(3)), "that sum to 1"),
        (of_an_operation, "that sum to 1"),
        (of_named_inputs, "that sum to 1"),
        (of_sentences, "that sum to 1"),
        (lambda: ending_in(L.Dense(1, activation=tf.nn.sigmoid)), "between 0 and 1"),
        (lambda: ending_in(L.Dense(3, activation="hard_sigmoid")), "between 0 and 1"),
    ],
)
def test_probabilities_are_refused(classifier, kind):
    with pytest.raises(ValueError, match=f"expected logits as output, received .*{kind}"):
        CrossEntropy(classifier())


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"activation": "relu"},
        {"activation": "tanh"},
        {"kernel_initializer": "zeros"},
        {"kernel_initializer": "zeros", "bias_initializer": keras.initializers.Constant(0.5)},
    ],
)
@pytest.mark.parametrize("units", [1, 2])
def test_logits_that_resemble_probabilities_are_logits(units, options):
    model = ending_in(L.Dense(units, **options))
    before = model.get_weights()
    assert check_logits(model).shape == (units,)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_subclassed_model_is_looked_at_by_fit():
    x, y = batch([(5,)], 8, 0)
    for function, labels, message in (
        (tf.nn.softmax, y, "received probabilities that sum to 1"),
        (lambda z: z[:, tf.newaxis], y, r"expected y in shape \[B, T\] or \[B, T, 3\], received"),
        (lambda z: z, y + 1, "below the classifier's number of classes 3, received 3"),
    ):
        classifier = Subclassed(function)
        classifier(x)
        model = MetaWeightNet(classifier)
        model.compile("sgd")
        with pytest.raises(ValueError, match=message):
            model.fit(paired_dataset(x, labels, x, y, batch_size=4), verbose=0)
