"""L2RW: hand values, double backprop, a NumPy step, and what it says of wrong labels."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import CLASSIFIERS, element, mlp
from tf_mwn.engine.linearise import Linearisation
from tf_mwn.engine.objective import TrainingBatch
from tf_mwn.methods.reweighting.l2rw import L2RW, rectified

L = keras.layers
BATCH = TrainingBatch(None, None)


def compiled(classifier, learning_rate=0.1, size=12, loss=None, **options):
    model = L2RW(classifier, num_sample_ids=size, **options)
    model.compile(keras.optimizers.SGD(learning_rate), loss=loss)
    return model


def scalar_problem(labels, learning_rate=0.1):
    """l = (w x - y)²/2 at w = 1, training x = 1, meta example (1, 0)."""
    inputs = keras.Input((1,))
    classifier = keras.Model(inputs, L.Dense(1, use_bias=False, kernel_initializer="ones")(inputs))
    model = compiled(
        classifier,
        learning_rate,
        size=2,
        loss=lambda y, z: 0.5 * (z[:, 0] - tf.cast(y, z.dtype)) ** 2,
    )
    features = {
        "inputs": tf.ones((2, 1)),
        "sample_id": tf.constant([0, 1]),
        "meta_inputs": tf.ones((1, 1)),
        "meta_labels": tf.constant([0.0]),
    }
    return model, (features, tf.constant(labels))


def weights_after_a_step(model, data):
    """The paper's w_i = v_i / n."""
    model.train_step(data)
    n = len(data[1])
    return model.sample_weight(data[1], tf.zeros((n, 1)), tf.range(n)).numpy() / n


def test_weights_by_hand():
    """u = 1, s = (1·1, -2·1): the example that pulls away from the meta example gets nothing."""
    np.testing.assert_allclose(weights_after_a_step(*scalar_problem([0.0, 3.0])), [1.0, 0.0])
    # s = (1, 0.5)
    np.testing.assert_allclose(weights_after_a_step(*scalar_problem([0.0, 0.5])), [2 / 3, 1 / 3])


def test_nothing_agrees_and_nothing_moves():
    model, data = scalar_problem([3.0, 5.0])
    np.testing.assert_array_equal(weights_after_a_step(model, data), [0.0, 0.0])
    np.testing.assert_array_equal(model.classifier.get_weights()[0], [[1.0]])


@pytest.mark.parametrize("learning_rate", [1e-3, 10.0])
def test_no_inner_learning_rate(learning_rate):
    weights = weights_after_a_step(*scalar_problem([0.0, 0.5], learning_rate))
    np.testing.assert_allclose(weights, [2 / 3, 1 / 3], rtol=1e-6)


def test_weights_sum_to_one_or_zero():
    rng = np.random.default_rng(0)
    for _ in range(5):
        np.testing.assert_allclose(tf.reduce_mean(rectified(rng.normal(size=9), BATCH)), 1.0)
    np.testing.assert_array_equal(rectified(tf.constant([-1.0, 0.0]), BATCH), [0.0, 0.0])


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("virtual_variables", ["all", "head"])
@pytest.mark.parametrize("name", ["mlp", "cnn_with_batch_norm"])
def test_similarities_are_the_gradient_in_epsilon(name, virtual_variables):
    """-∂/∂ε L_meta(w - ∇ Σ ε l) at ε = 0 by a tape through a tape."""
    build, shapes = CLASSIFIERS[name]
    features, labels = element(shapes)
    model = compiled(build(), virtual_variables=virtual_variables)
    linear = Linearisation(model.classifier, features["inputs"])
    batch = TrainingBatch(labels, model.per_example_loss, features["sample_id"])
    ours = model.similarities(linear, batch, features)
    np.testing.assert_allclose(ours, _minus_gradient_in_epsilon(model, features, labels), rtol=1e-7)


def _minus_gradient_in_epsilon(model, features, labels):
    classifier = model.classifier
    weights = [tf.convert_to_tensor(w) for w in classifier.trainable_variables]
    state = [tf.convert_to_tensor(s) for s in classifier.non_trainable_variables]
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None)
    epsilon = tf.zeros(len(labels), tf.float64)
    with tf.GradientTape() as outer:
        outer.watch(epsilon)
        with tf.GradientTape() as inner:
            inner.watch(weights)
            logits, _ = classifier.stateless_call(weights, state, features["inputs"], training=True)
            value = tf.reduce_sum(epsilon * cross_entropy(labels, logits))
        gradient = inner.gradient(value, weights)
        virtual = list(weights)
        for i in model.virtual_selection:
            virtual[i] = weights[i] - gradient[i]
        logits, _ = classifier.stateless_call(
            virtual, state, features["meta_inputs"], training=True
        )
        meta_loss = tf.reduce_mean(cross_entropy(features["meta_labels"], logits))
    return -outer.gradient(meta_loss, epsilon)


def test_a_step_in_numpy():
    """Softmax regression: s_i = <x_i g_iᵀ, U>, with g = p - y and U the meta gradient."""
    inputs = keras.Input((5,))
    model = compiled(keras.Model(inputs, L.Dense(3, use_bias=False)(inputs)), 0.5)
    features, labels = element([(5,)])
    w = model.classifier.get_weights()[0].astype(np.float64)
    x, xm = features["inputs"].numpy(), features["meta_inputs"].numpy()
    error, meta_error = (
        _softmax(a @ w) - np.eye(3)[b] for a, b in ((x, labels), (xm, features["meta_labels"]))
    )
    direction = xm.T @ meta_error / len(xm)
    positive = np.maximum(np.einsum("ni,ij,nj->n", x, direction, error), 0)
    expected = positive / positive.sum()
    model.train_step((features, labels))
    seen = model.sample_weight(labels, model.classifier(x), features["sample_id"])
    np.testing.assert_allclose(seen / len(x), expected, rtol=1e-4, atol=1e-6)
    moved = w - 0.5 * x.T @ (expected[:, None] * error)
    np.testing.assert_allclose(model.classifier.get_weights()[0], moved, rtol=1e-4, atol=1e-6)


def _softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def test_the_meta_pass_touches_no_state():
    build, shapes = CLASSIFIERS["cnn_with_batch_norm"]
    model = compiled(build(), 0.0)
    reference = keras.models.clone_model(model.classifier)
    reference.set_weights(model.classifier.get_weights())
    features, labels = element(shapes)
    model.train_step((features, labels))
    reference(features["inputs"], training=True)
    for a, b in zip(model.classifier.weights, reference.weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_an_example_that_was_not_met_weighs_one():
    model = compiled(mlp(), size=20)
    features, labels = element([(5,)])
    model.train_step((features, labels))
    ids = tf.range(12, 20)
    weights = model.sample_weight(tf.zeros(8, tf.int32), tf.zeros((8, 3)), ids)
    np.testing.assert_array_equal(weights, np.ones(8))


def test_wrong_labels_weigh_less():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4)).astype("float32")
    clean = (x[:, 0] > 0).astype(int)
    given = np.where(np.arange(60) < 20, 1 - clean, clean)
    inputs = keras.Input((4,))
    model = compiled(keras.Model(inputs, L.Dense(2, kernel_initializer="zeros")(inputs)), size=60)
    features = {"inputs": x, "sample_id": np.arange(60), "meta_inputs": x, "meta_labels": clean}
    data = keras.tree.map_structure(tf.constant, features), tf.constant(given)
    for _ in range(3):
        model.train_step(data)
    weights = model.sample_weight(given, model.classifier(x), np.arange(60)).numpy()
    assert np.mean(weights[:20] > 0) < 0.2 and weights[20:].mean() > 5 * weights[:20].mean()
