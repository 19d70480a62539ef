"""Learned weight decay: hand values, finite differences, and what it is when it does not learn."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.methods.hyper_parameters.hyper_parameter_problems import (
    central_differences,
    compiled,
    line,
    meta_gradient,
    one_example,
    plain_gradient,
    squared,
    stateless,
)
from tests.models import CLASSIFIERS, element, mlp
from tf_mwn import LearnedWeightDecay
from tf_mwn.methods.hyper_parameters.learned_weight_decay import kernels_by_layer

L = keras.layers


def test_decay_by_hand():
    """g = 1 + λ = 1.5, ŵ = 0.85 = u, and -α λ w u."""
    model = compiled(LearnedWeightDecay(line(1.0), 0.5), loss=squared)
    np.testing.assert_allclose(meta_gradient(model, *one_example()), [-0.1 * 0.5 * 0.85], rtol=1e-6)
    model.train_step(one_example())
    # Θ = 0.0425, and the step is taken by the new λ.
    decay = 0.5 * np.exp(0.0425)
    np.testing.assert_allclose(model.training_objective.values_now(), [decay], rtol=1e-6)
    np.testing.assert_allclose(model.classifier.get_weights()[0], [[1 - 0.1 * (1 + decay)]])


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("name", ["mlp", "cnn_with_batch_norm", "two_inputs"])
def test_decay_equals_finite_differences(name):
    build, shapes = CLASSIFIERS[name]
    features, labels = element(shapes)
    model = compiled(LearnedWeightDecay(build(), 0.3))
    network, groups = model.classifier, kernels_by_layer(model.classifier)
    weights = [tf.convert_to_tensor(v) for v in network.trainable_variables]
    gradient = plain_gradient(lambda w: stateless(network, w, features["inputs"], labels), weights)

    def meta_loss(theta):
        virtual = [w - 0.1 * g for w, g in zip(weights, gradient, strict=True)]
        for t, group in zip(theta, groups, strict=True):
            for i in group:
                virtual[i] -= 0.1 * 0.3 * np.exp(t) * weights[i]
        return stateless(network, virtual, features["meta_inputs"], features["meta_labels"])

    ours = meta_gradient(model, features, labels)
    assert np.abs(ours).min() > 1e-8
    np.testing.assert_allclose(
        ours, central_differences(meta_loss, len(groups)), rtol=1e-5, atol=1e-10
    )


def test_a_decay_that_does_not_learn_is_the_regulariser():
    build = {"plain": None, "l2": keras.regularizers.L2(0.5 * 0.02)}  # Keras leaves out the half
    weights = {}
    features, labels = element([(5,)])
    for name, regulariser in build.items():
        keras.utils.set_random_seed(0)
        inputs = keras.Input((5,))
        hidden = L.Dense(4, activation="tanh", kernel_regularizer=regulariser)(inputs)
        classifier = keras.Model(inputs, L.Dense(3, kernel_regularizer=regulariser)(hidden))
        # Next to the regulariser the learned one is nothing.
        model = LearnedWeightDecay(classifier, 0.02 if name == "plain" else 1e-12)
        compiled(model, keras.optimizers.SGD(0.5), meta_rate=0.0)
        for _ in range(3):
            model.train_step((features, labels))
        weights[name] = classifier.get_weights()
    for a, b in zip(*weights.values(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_layers_of_one_name_have_a_decay_each():
    def part(size):
        return keras.Sequential([keras.Input((size,)), L.Dense(4, name="same")])

    first, second = part(6), part(4)
    recurrent = keras.Sequential([keras.Input((3, 2)), L.LSTM(6), L.LayerNormalization()])
    inputs = keras.Input((3, 2))
    model = keras.Model(inputs, second(L.Activation("tanh")(first(recurrent(inputs)))))
    groups = kernels_by_layer(model)
    names = [[model.trainable_variables[i].name for i in group] for group in groups]
    assert names == [["kernel", "recurrent_kernel"], ["kernel"], ["kernel"]]


def test_a_decay_stays_within_its_bounds():
    model = compiled(LearnedWeightDecay(line(1.0), 0.5), loss=squared, meta_rate=1e6)
    model.train_step(one_example())
    np.testing.assert_allclose(model.training_objective.values_now(), [500.0], rtol=1e-5)


def no_kernels():
    inputs = keras.Input((5,))
    return keras.Model(inputs, L.BatchNormalization()(inputs))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: LearnedWeightDecay(mlp(), 0.0), "weight_decay_start: expected a value in"),
        (lambda: LearnedWeightDecay(no_kernels()), "expected a trainable variable of two axes"),
    ],
)
def test_what_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
