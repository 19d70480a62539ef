"""Learned decay, learning rate and architecture: hand values and finite differences."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import CLASSIFIERS, batch, cnn_with_batch_norm, element, mlp, subclassed
from tf_mwn import (
    ArchitectureGate,
    HypergradientDescent,
    LearnedWeightDecay,
    gated_classifier,
    paired_dataset,
)
from tf_mwn.engine.linearise import Linearisation
from tf_mwn.engine.optimizers import CoupledSGD
from tf_mwn.experiments.build import meta_optimizer
from tf_mwn.experiments.config import Config
from tf_mwn.methods import registry
from tf_mwn.methods.architecture_gate import architecture_gate
from tf_mwn.methods.learned_weight_decay import kernels_by_layer

L = keras.layers
SMOOTH = ["mlp", "cnn_with_batch_norm", "two_inputs"]


def squared(labels, logits):
    return 0.5 * (logits[:, 0] - tf.cast(labels, logits.dtype)) ** 2


def line(*slopes):
    """z = w x for each slope w."""
    inputs = keras.Input((1,))
    branches = [
        L.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(w))(inputs)
        for w in slopes
    ]
    if len(slopes) == 1:
        return keras.Model(inputs, branches[0])
    return gated_classifier(inputs, branches)


def one_example(target=0.0):
    """x = 1 in both sets, with y = `target` in training and 0 in the meta set."""
    features = {"inputs": tf.ones((1, 1)), "sample_id": tf.constant([0])}
    meta = {"meta_inputs": tf.ones((1, 1)), "meta_labels": tf.constant([0.0])}
    return {**features, **meta}, tf.constant([target])


def compiled(model, optimizer=None, loss=None, meta_rate=1.0):
    model.compile(
        optimizer or keras.optimizers.SGD(0.1),
        meta_optimizer=keras.optimizers.SGD(meta_rate),
        loss=loss,
    )
    return model


def meta_gradient(model, features, labels, network=None):
    linear = Linearisation(network or model.classifier, features["inputs"])
    return model.meta_gradient(
        linear, model.training_batch(labels, features["sample_id"]), features
    )[0]


def stateless(network, weights, inputs, labels):
    """Mean cross-entropy in training mode; nothing of the package."""
    state = [tf.convert_to_tensor(s) for s in network.non_trainable_variables]
    logits, _ = network.stateless_call(weights, state, inputs, training=True)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return loss(labels, logits)


def central_differences(function, size, step=1e-5):
    """∂function/∂Θ at Θ = 0."""
    return [(function(step * e) - function(-step * e)) / (2 * step) for e in np.eye(size)]


def plain_gradient(loss, weights):
    with tf.GradientTape() as tape:
        tape.watch(weights)
        value = loss(weights)
    return tape.gradient(value, weights)


# --- weight decay


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
@pytest.mark.parametrize("name", SMOOTH)
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


# --- learning rate


def test_rate_by_hand():
    """w goes from 1 to 0.9, where u = 0.9: <u, -0.1> = -0.09, and Θ grows by that."""
    model = compiled(HypergradientDescent(line(1.0)), loss=squared)
    model.train_step(one_example())
    factor = model.training_objective.values_now
    np.testing.assert_allclose(factor(), [1.0])
    model.train_step(one_example())
    np.testing.assert_allclose(factor(), [np.exp(0.09)], rtol=1e-5)
    np.testing.assert_allclose(model.optimizer.learning_rate, 0.1 * np.exp(0.09), rtol=1e-5)
    np.testing.assert_allclose(
        model.classifier.get_weights()[0], [[0.9 * (1 - 0.1 * np.exp(0.09))]], rtol=1e-5
    )


def test_rate_of_the_papers_gradient_by_hand():
    """Training wants y = 3: w goes from 1 to 1.2, where its gradient is -1.8."""
    model = compiled(HypergradientDescent(line(1.0), "training"), loss=squared)
    features, labels = one_example(3.0)
    data = {k: v for k, v in features.items() if "meta" not in k}, labels
    for _ in range(2):
        model.train_step(data)
    factor = model.training_objective.values_now()
    np.testing.assert_allclose(factor, [np.exp(1.8 * 0.2)], rtol=1e-5)
    assert "meta_loss" not in [metric.name for metric in model.metrics]


OPTIMIZERS = {
    "SGD": lambda: keras.optimizers.SGD(0.3),
    "decoupled decay": lambda: keras.optimizers.SGD(0.3, weight_decay=0.1),
    "coupled decay": lambda: CoupledSGD(0.3, coupled_weight_decay=0.1),
    "Adam": lambda: keras.optimizers.Adam(0.03),
    "schedule": lambda: keras.optimizers.SGD(
        keras.optimizers.schedules.PiecewiseConstantDecay([0], [0.3, 0.03])
    ),
}


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", ["mlp", "cnn_with_batch_norm"])
def test_rate_equals_finite_differences(name, optimizer):
    build, shapes = CLASSIFIERS[name]
    features, labels = element(shapes)

    def after_a_step(theta, meta_rate=0.0):
        keras.utils.set_random_seed(0)
        model = HypergradientDescent(build())
        compiled(model, OPTIMIZERS[optimizer](), meta_rate=meta_rate)
        model.meta_learner.theta.assign(theta)
        model.train_step((features, labels))
        return model

    def meta_loss(theta):
        network = after_a_step(theta).classifier
        weights = [tf.convert_to_tensor(v) for v in network.trainable_variables]
        return stateless(network, weights, features["meta_inputs"], features["meta_labels"])

    ours = meta_gradient(after_a_step([0.0]), features, labels)
    assert abs(ours[0]) > 1e-8
    np.testing.assert_allclose(ours, central_differences(meta_loss, 1), rtol=1e-6, atol=1e-10)


def test_weights_given_later_are_no_step():
    model = compiled(HypergradientDescent(line(1.0)), loss=squared)
    model.classifier.set_weights([np.array([[5.0]])])
    model.train_step(one_example())
    np.testing.assert_array_equal(model.meta_learner.theta, [0.0])


@pytest.mark.parametrize(("rate", "grows"), [(1e-3, True), (1.9, False)])
def test_a_small_rate_grows_and_one_that_overshoots_falls(rate, grows):
    model = compiled(
        HypergradientDescent(line(1.0)), keras.optimizers.SGD(rate), squared, meta_rate=0.1
    )
    for _ in range(10):
        model.train_step(one_example())
    assert (model.training_objective.values_now()[0] > 1) == grows


def test_a_rate_that_is_a_function_is_refused():
    with pytest.raises(TypeError, match="expected a number or a .*Schedule as learning rate"):
        compiled(HypergradientDescent(mlp()), keras.optimizers.SGD(lambda: 0.1))


def test_a_loaded_model_goes_on_at_the_learned_rate(tmp_path):
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5)
    model = compiled(HypergradientDescent(mlp()), keras.optimizers.SGD(schedule))
    features, labels = element([(5,)])
    for _ in range(3):
        model.train_step((features, labels))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    expected = schedule(3) * model.training_objective.values_now()[0]
    for either in (model, loaded):
        np.testing.assert_allclose(either.optimizer.learning_rate, expected, rtol=1e-6)
    assert expected != schedule(3)


# --- architecture


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


# --- settings


@pytest.mark.parametrize(
    ("method", "decay"),
    [("learned_weight_decay", 0.0), ("hypergradient_descent", 0.0), ("architecture_gate", 1e-3)],
)
def test_a_recipes_decay_of_theta_is_for_methods_that_read_it(method, decay):
    optimizer = meta_optimizer(Config(meta_weight_decay=1e-3), registry.find(method))
    assert optimizer.coupled_weight_decay == decay


# --- refusals


def two_shapes():
    inputs = keras.Input((5,))
    return gated_classifier(inputs, [L.Dense(3)(inputs), L.Dense(2)(inputs)])


def no_kernels():
    inputs = keras.Input((5,))
    return keras.Model(inputs, L.BatchNormalization()(inputs))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: LearnedWeightDecay(mlp(), 0.0),
            "weight_decay_start: expected a value in",
        ),
        (lambda: LearnedWeightDecay(no_kernels()), "expected a trainable variable of two axes"),
        (lambda: HypergradientDescent(mlp(), "test"), "expected one of meta, training"),
        (lambda: ArchitectureGate(line(1.0, 2.0), "third"), "expected one of second, first"),
        (lambda: ArchitectureGate(mlp()), "expected one that gated_classifier has made"),
        (lambda: architecture_gate(mlp(), 0), "gate_units: expected an integer of at least 1"),
        (lambda: architecture_gate(subclassed()), "expected a functional or Sequential model"),
        (two_shapes, r"of one shape \[B, C\], received \(None, 3\), \(None, 2\)"),
    ],
)
def test_what_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_the_meta_gradient_needs_a_meta_set():
    features, labels = one_example()
    data = {k: v for k, v in features.items() if "meta" not in k}, labels
    with pytest.raises(ValueError, match=r"meta_inputs.*paired_dataset"):
        compiled(HypergradientDescent(line(1.0)), loss=squared).train_step(data)
