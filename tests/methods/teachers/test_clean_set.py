"""Training on the meta set: alone, and with the given labels."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import mlp
from tf_mwn.methods.teachers.clean_set import CleanAdded, CleanOnly
from tf_mwn.training.cross_entropy import CrossEntropy

STEPS, BATCH, META_BATCH = 3, 8, 5
rng = np.random.default_rng(1)
X = rng.normal(size=(STEPS * BATCH, 5)).astype("float32")
Y = rng.integers(0, 3, STEPS * BATCH)
X_META = rng.normal(size=(STEPS * META_BATCH, 5)).astype("float32")
Y_META = rng.integers(0, 3, STEPS * META_BATCH)


def stream(y=Y, x=X):
    """Every epoch the same batches in the same order, of either set."""
    train = tf.data.Dataset.from_tensor_slices((x, y, np.arange(len(y)))).batch(BATCH)
    meta = tf.data.Dataset.from_tensor_slices((X_META, Y_META)).batch(META_BATCH)

    def pair(train, meta):
        (inputs, labels, ids), (xm, ym) = train, meta
        features = {"inputs": inputs, "sample_id": ids, "meta_inputs": xm, "meta_labels": ym}
        return features, labels

    return tf.data.Dataset.zip(train, meta).map(pair)


def meta_stream():
    """The meta batches as training elements of plain training."""
    return stream().map(
        lambda f, _: (
            {"inputs": f["meta_inputs"], "sample_id": tf.range(META_BATCH)},
            f["meta_labels"],
        )
    )


def fitted(model, *parts):
    """The weights and the history after training on each (stream, epochs)."""
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([2, 7], [0.2, 0.1, 0.01])
    optimizer = keras.optimizers.SGD(schedule, momentum=0.9)
    model.compile(optimizer, metrics=["accuracy"], run_eagerly=True)
    for elements, epochs in parts:
        history = model.fit(elements, epochs=epochs, verbose=0, shuffle=False).history
    return model, history


def build(method, *arguments):
    keras.utils.set_random_seed(7)
    return method(mlp(), *arguments)


def assert_same_state(one, two):
    for a, b in zip(one.classifier.weights, two.classifier.weights, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(one.optimizer.variables, two.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a, b)


def test_clean_only_is_plain_training_on_the_meta_batches():
    ours, logs = fitted(build(CleanOnly), (stream(), 2))
    plain, expected = fitted(build(CrossEntropy), (meta_stream(), 2))
    assert_same_state(ours, plain)
    assert logs == expected, "its metrics are those of the meta batches"


def test_a_step_of_clean_only_is_the_numpy_reference():
    """Softmax regression on the meta batch."""
    inputs = keras.Input((5,))
    classifier = keras.Model(inputs, keras.layers.Dense(3)(inputs))
    model = CleanOnly(classifier)
    model.compile(keras.optimizers.SGD(0.5))
    kernel, bias = classifier.get_weights()
    model.train_step(next(iter(stream())))
    x, y = X_META[:META_BATCH], Y_META[:META_BATCH]
    e = np.exp(x @ kernel + bias)
    delta = (e / e.sum(axis=1, keepdims=True) - np.eye(3)[y]) / META_BATCH
    expected = kernel - 0.5 * x.T @ delta, bias - 0.5 * delta.sum(axis=0)
    for value, wanted in zip(classifier.get_weights(), expected, strict=True):
        np.testing.assert_allclose(value, wanted, atol=1e-6)


@pytest.mark.parametrize("other", [(0 * Y, X), (Y, X + np.nan)], ids=["labels", "inputs"])
def test_clean_only_never_looks_at_the_training_set(other):
    one, logs = fitted(build(CleanOnly), (stream(), 2))
    two, other_logs = fitted(build(CleanOnly), (stream(*other), 2))
    assert_same_state(one, two)
    assert logs == other_logs


def joined_stream():
    """Each training batch and its meta batch as one batch of plain training."""

    def join(features, labels):
        pair = features["inputs"], features["meta_inputs"]
        x, y = tf.concat(pair, axis=0), tf.concat([labels, features["meta_labels"]], axis=0)
        return {"inputs": x, "sample_id": tf.range(BATCH + META_BATCH)}, y

    return stream().map(join)


def test_clean_added_is_plain_training_on_both_batches_in_one():
    ours, logs = fitted(build(CleanAdded), (stream(), 2))
    plain, _ = fitted(build(CrossEntropy), (joined_stream(), 2))
    assert_same_state(ours, plain)
    still = build(CleanAdded), build(CrossEntropy)
    for model in still:  # a rate of 0: what is logged is that of the training set as a whole
        model.compile(keras.optimizers.SGD(0.0), metrics=["accuracy"])
    logs = [model.fit(stream(), verbose=0).history for model in still]
    assert logs[0].keys() == logs[1].keys()
    for name in logs[0]:
        np.testing.assert_allclose(logs[0][name], logs[1][name], rtol=1e-6)


def test_clean_added_evaluates_as_plain_training_does():
    models = build(CleanAdded), build(CrossEntropy)
    for model in models:
        model.compile("sgd", metrics=["accuracy"])
    one, two = (model.evaluate(X, Y, verbose=0, return_dict=True) for model in models)
    assert one == two


def test_none_weighs_examples():
    for model in (build(CleanOnly), build(CleanAdded)):
        model.compile("sgd")
        assert model.sample_weight(Y, np.zeros((len(Y), 3), "float32"), np.arange(len(Y))) is None


def test_a_logit_adjustment_holds_for_the_training_batch_alone():
    z = np.random.default_rng(1).normal(size=(4, 3)).astype("float32")
    labels, ids = np.array([0, 1, 2, 0]), tf.constant([5, 6, -1, -1])
    model = build(CleanAdded)
    model.compile("sgd", logit_adjustment=1.0, class_counts=[90, 9, 1])
    offset = np.log([91 / 103, 10 / 103, 2 / 103])
    batch = model.training_batch(tf.constant(labels), ids)
    gradient, _ = model.logits_gradient(model.adjusted(z), batch)
    shift = np.array([1, 1, 0, 0])[:, None] * offset
    expected = (np.array(tf.nn.softmax(z + shift)) - np.eye(3)[labels]) / 4
    np.testing.assert_allclose(gradient, expected, atol=1e-6)


def test_clean_only_has_no_class_shares_to_adjust():
    with pytest.raises(ValueError, match="logit_adjustment: expected 0 for CleanOnly"):
        build(CleanOnly).compile("sgd", logit_adjustment=1.0, class_counts=[90, 9, 1])
