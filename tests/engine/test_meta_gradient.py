"""The engine's meta gradient against two routes that share no code with it.

Tape of tape builds ŵ(Θ) as a function of Θ and differentiates through it; finite differences move
Θ and look at the meta loss.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import CLASSIFIERS, element
from tf_mwn.engine.linearise import Linearisation
from tf_mwn.engine.optimizers import CoupledSGD
from tf_mwn.methods.meta_weight_net.meta_weight_net import MetaWeightNet

pytestmark = pytest.mark.usefixtures("float64")

# Every variant of the virtual step: (weight net options, optimizer options).
VARIANTS = {
    "mean": ({}, {}),
    "sum": ({"weight_normalization": "sum"}, {}),
    "sum, constant normaliser": ({"weight_normalization": "sum_detached"}, {}),
    "mean, input not detached": ({"detach_loss": False}, {}),
    "sum, input not detached": ({"weight_normalization": "sum", "detach_loss": False}, {}),
    "momentum": ({"virtual_step": "optimizer"}, {"momentum": 0.9}),
    "momentum and coupled decay": (
        {"virtual_step": "optimizer"},
        {"momentum": 0.9, "coupled_weight_decay": 0.05},
    ),
    "Nesterov and coupled decay": (
        {"virtual_step": "optimizer"},
        {"momentum": 0.9, "nesterov": True, "coupled_weight_decay": 0.05},
    ),
    "decoupled decay, no momentum": ({"virtual_step": "optimizer"}, {"weight_decay": 0.05}),
}


def compiled(classifier, options, sgd):
    model = MetaWeightNet(classifier, weight_net_units=(5,), **options)
    model.compile(CoupledSGD(0.3, **sgd), meta_optimizer=keras.optimizers.SGD(1.0))
    for velocity in getattr(model.optimizer, "momentums", []):
        velocity.assign(0.1 * keras.random.normal(velocity.shape))
    return model


def engine_gradient(model, features, labels):
    linear = Linearisation(model.classifier, features["inputs"])
    batch = model.training_batch(labels, features["sample_id"])
    return model.meta_gradient(linear, batch, features)


def objective_by_formula(model, losses, normaliser):
    """T as the papers print it, from the weight net's output; no engine code."""
    seen = losses if not model.weight_net.detach_loss else tf.stop_gradient(losses)
    v = model.weight_net(seen)
    return {
        "none": lambda: tf.reduce_mean(v * losses),
        "sum": lambda: tf.reduce_sum(v * losses) / tf.reduce_sum(v),
        "sum_detached": lambda: tf.reduce_sum(v * losses) / normaliser(v),
    }[model.weight_net.normalization]()


def stopped_sum(v):
    return tf.stop_gradient(tf.reduce_sum(v))


def meta_loss_of_theta(model, features, labels, normaliser=stopped_sum):
    """L_meta(ŵ(Θ)) with ŵ from a gradient tape and the textbook update rules."""
    classifier, sgd = model.classifier, model.optimizer
    weights = [tf.convert_to_tensor(w) for w in classifier.trainable_variables]
    state = [tf.convert_to_tensor(s) for s in classifier.non_trainable_variables]
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None)
    training = {"training": True} if "training" in classifier.call.__code__.co_varnames else {}
    with tf.GradientTape() as tape:
        tape.watch(weights)
        logits, state = classifier.stateless_call(weights, state, features["inputs"], **training)
        losses = cross_entropy(labels, logits)
        value = objective_by_formula(model, losses, normaliser)
    gradient = tape.gradient(value, weights)
    virtual = list(weights)
    for i in model.virtual_selection:
        virtual[i] = textbook_update(model, sgd, weights[i], gradient[i], i)
    logits, _ = classifier.stateless_call(virtual, state, features["meta_inputs"], **training)
    return tf.reduce_mean(cross_entropy(features["meta_labels"], logits))


def textbook_update(model, sgd, w, g, i):
    lr = float(sgd.learning_rate)
    if model.virtual_step == "plain":
        return w - lr * g
    g = g + sgd.coupled_weight_decay * w
    w = w * (1 - lr * (sgd.weight_decay or 0.0))
    if not sgd.momentum:
        return w - lr * g
    velocity = sgd.momentum * tf.convert_to_tensor(sgd.momentums[i]) - lr * g
    return w + (sgd.momentum * velocity - lr * g if sgd.nesterov else velocity)


def tape_of_tape(model, features, labels):
    with tf.GradientTape() as tape:
        value = meta_loss_of_theta(model, features, labels)
    return tape.gradient(value, model.weight_net.trainable_variables)


def finite_difference(model, features, labels, direction, step=1e-5):
    """Central difference of L_meta along `direction`, a constant normaliser held at its value."""
    theta = model.weight_net.trainable_variables
    held = []

    def constant_sum(v):
        held.append(stopped_sum(v))
        return held[0]

    meta_loss_of_theta(model, features, labels, constant_sum)
    values = []
    for sign in (1, -2):
        for variable, d in zip(theta, direction, strict=True):
            variable.assign_add(sign * step * d)
        values.append(float(meta_loss_of_theta(model, features, labels, constant_sum)))
    for variable, d in zip(theta, direction, strict=True):
        variable.assign_add(step * d)
    return (values[0] - values[1]) / (2 * step)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", [n for n in CLASSIFIERS if n != "subclassed"])
def test_engine_equals_tape_of_tape_and_finite_differences(name, variant):
    build, shapes = CLASSIFIERS[name]
    model = compiled(build(), *VARIANTS[variant])
    features, labels = element(shapes)
    gradient = engine_gradient(model, features, labels)
    assert max(float(tf.reduce_max(tf.abs(g))) for g in gradient) > 1e-6  # not trivially equal
    for g, expected in zip(gradient, tape_of_tape(model, features, labels), strict=True):
        np.testing.assert_allclose(g, expected, rtol=1e-7, atol=1e-12)

    rng = np.random.default_rng(0)
    direction = [rng.normal(size=g.shape) for g in gradient]
    along = sum(float(tf.reduce_sum(g * d)) for g, d in zip(gradient, direction, strict=True))
    difference = finite_difference(model, features, labels, direction)
    np.testing.assert_allclose(along, difference, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("variant", ["mean", "sum", "Nesterov and coupled decay"])
@pytest.mark.parametrize("choice", ["head", lambda variable: variable.name == "bias"])
def test_restricted_virtual_step_equals_tape_of_tape(choice, variant):
    options, sgd = VARIANTS[variant]
    build, shapes = CLASSIFIERS["cnn_with_batch_norm"]
    model = compiled(build(), {**options, "virtual_variables": choice}, sgd)
    features, labels = element(shapes)
    restricted = engine_gradient(model, features, labels)
    for g, expected in zip(restricted, tape_of_tape(model, features, labels), strict=True):
        np.testing.assert_allclose(g, expected, rtol=1e-7, atol=1e-12)
    exact = compiled(model.classifier, options, sgd)
    exact.weight_net.set_weights(model.weight_net.get_weights())
    different = engine_gradient(exact, features, labels)
    assert not np.allclose(restricted[0], different[0], rtol=1e-3)


def test_graph_equals_eager():
    build, shapes = CLASSIFIERS["cnn_with_batch_norm"]
    model = compiled(build(), *VARIANTS["sum"])
    features, labels = element(shapes)
    eager = engine_gradient(model, features, labels)
    graph = tf.function(lambda: engine_gradient(model, features, labels))()
    for a, b in zip(eager, graph, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-14)
