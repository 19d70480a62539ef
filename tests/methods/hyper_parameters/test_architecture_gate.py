"""A learned mixture of branches: hand values, finite differences, and what is saved."""

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
)
from tests.models import batch, cnn_with_batch_norm, element, mlp, subclassed
from tf_mwn import ArchitectureGate, gated_classifier, paired_dataset
from tf_mwn.methods.hyper_parameters.architecture_gate import architecture_gate

L = keras.layers


def test_gate_by_hand():
    """z = (1 + 3)/2 and ẑ = (0.9 + 2.9)/2; dz/dΘ_1 = (z_1 - z_2)/4 = -0.5, before and after.

    First term 1.9 · -0.5; second -α · 0.95 · -0.5, for <∇T, u> = 0.95 z there.
    """
    first = compiled(ArchitectureGate(line(1.0, 3.0), "first"), loss=squared)
    second = compiled(ArchitectureGate(line(1.0, 3.0)), loss=squared)
    for model, expected in ((first, 2.0 * -0.5), (second, 1.9 * -0.5 + 0.1 * 0.95 * 0.5)):
        ours = meta_gradient(model, *one_example(), model.branches)
        np.testing.assert_allclose(ours, [expected, -expected], rtol=1e-5)


def gated_cnn():
    network = cnn_with_batch_norm()
    features = network.layers[-1].input
    deep = L.Dense(3)(L.Dense(4, activation="softplus")(features))
    return gated_classifier(network.input, [network.outputs[0], deep, L.Dense(3)(features)])


def test_takes_a_sequential_classifier_that_was_never_called():
    classifier = keras.Sequential([keras.Input((5,)), L.Dense(7, activation="tanh"), L.Dense(3)])
    assert architecture_gate(classifier).classifier.layers[1] is classifier.layers[0]


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("order", ["first", "second"])
def test_gate_equals_finite_differences(order):
    features, labels = element([(6, 6, 2)])
    model = compiled(ArchitectureGate(gated_cnn(), order), keras.optimizers.SGD(0.5))
    branches = model.branches
    weights = [tf.convert_to_tensor(v) for v in branches.trainable_variables]

    def loss(w, theta, inputs, targets):
        state = [tf.convert_to_tensor(s) for s in branches.non_trainable_variables]
        joined, _ = branches.stateless_call(w, state, inputs, training=True)
        shares = np.exp(theta) / np.exp(theta).sum()
        mixed = sum(a * z for a, z in zip(shares, tf.split(joined, 3, axis=1), strict=True))
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)(targets, mixed)

    def meta_loss(theta):
        virtual = weights
        if order == "second":
            gradient = plain_gradient(lambda w: loss(w, theta, features["inputs"], labels), weights)
            virtual = [w - 0.5 * g for w, g in zip(weights, gradient, strict=True)]
        return loss(virtual, theta, features["meta_inputs"], features["meta_labels"])

    ours = meta_gradient(model, features, labels, branches)
    assert np.abs(ours).min() > 1e-6
    np.testing.assert_allclose(ours, central_differences(meta_loss, 3), rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize("order", ["first", "second"])
def test_a_branch_that_sees_nothing_loses_its_share(order):
    x, y = batch([(5,)], 60, 0)
    y = (x[:, 0] > 0).astype(int)
    inputs = keras.Input((5,))
    blind = L.Dense(2)(L.Rescaling(0.0)(inputs))
    model = ArchitectureGate(gated_classifier(inputs, [blind, L.Dense(2)(inputs)]), order)
    model.compile(keras.optimizers.SGD(0.5), meta_optimizer=keras.optimizers.Adam(0.1))
    features = {"inputs": x[:40], "sample_id": np.arange(40)}
    features |= {"meta_inputs": x[40:], "meta_labels": y[40:]}
    data = keras.tree.map_structure(tf.constant, features), tf.constant(y[:40])
    for _ in range(30):
        model.train_step(data)
    assert model.training_objective.scalars()["share_2"] > 0.7


def test_the_classifier_is_keras_alone_and_has_the_shares(tmp_path):
    network = mlp()
    model = architecture_gate(network, gate_units=4)
    compiled(model, meta_rate=5.0)
    x, y = batch([(5,)], 24, 0)
    model.fit(paired_dataset(x, y, x[:8], y[:8], batch_size=8), verbose=0, shuffle=False)
    assert abs(model.training_objective.scalars()["share_1"] - 0.5) > 1e-4
    np.testing.assert_allclose(model.classifier(x), model(x), rtol=1e-5, atol=1e-6)
    assert all(type(layer).__module__.startswith("keras.") for layer in model.classifier.layers)
    assert network.layers[-1] in model.classifier.layers  # the user's own layers are trained
    model.classifier.save(tmp_path / "classifier.keras")
    alone = keras.saving.load_model(tmp_path / "classifier.keras", custom_objects={})
    np.testing.assert_allclose(alone(x), model(x), rtol=1e-5, atol=1e-6)


def test_branches_may_be_subclassed_models():
    inputs = keras.Input((5,))
    model = compiled(
        ArchitectureGate(gated_classifier(inputs, [subclassed()(inputs), mlp()(inputs)]))
    )
    model.train_step(element([(5,)]))
    assert model.predict(np.zeros((2, 5)), verbose=0).shape == (2, 3)


def test_gate_in_bfloat16_mixes_in_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = compiled(architecture_gate(mlp()))
        model.train_step(element([(5,)]))
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.classifier(np.zeros((2, 5), "float32")).dtype == tf.float32
    assert model.classifier.layers[1].compute_dtype == "bfloat16"


def two_shapes():
    inputs = keras.Input((5,))
    return gated_classifier(inputs, [L.Dense(3)(inputs), L.Dense(2)(inputs)])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: ArchitectureGate(line(1.0, 2.0), "third"), "expected one of first, second"),
        (lambda: ArchitectureGate(mlp()), "expected one made by gated_classifier"),
        (lambda: architecture_gate(mlp(), 0), "gate_units: expected a value in .1, inf."),
        (lambda: architecture_gate(subclassed()), "expected a functional or Sequential model"),
        (two_shapes, r"of one shape \[B, C\], received \(None, 3\), \(None, 2\)"),
    ],
)
def test_what_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_branches_of_one_logit_have_the_offset_of_two_classes():
    inputs = keras.Input((5,))
    classifier = gated_classifier(inputs, [L.Dense(1)(inputs), L.Dense(1)(inputs)])
    model = ArchitectureGate(classifier)
    model.compile(
        "sgd", "sgd", loss="binary_crossentropy", logit_adjustment=1.0, class_counts=[90, 10]
    )
    offset = np.log(11 / 91)
    for logits in (np.zeros((4, 2), "float32"), np.zeros((4, 1), "float32")):
        np.testing.assert_allclose(model.adjusted(tf.constant(logits)), logits + offset, rtol=1e-5)
