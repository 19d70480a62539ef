"""The Gaussian-process teacher, and what a student makes of its labels and variances."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import mlp, subclassed
from tf_mwn import WholeSets
from tf_mwn.methods.teachers import gaussian_process_teacher
from tf_mwn.methods.teachers.fwl import FidelityWeighted
from tf_mwn.training.cross_entropy import CrossEntropy

rng = np.random.default_rng(3)


SIZE, BATCH = 24, 8


X = rng.normal(size=(SIZE, 5)).astype("float32")


Y = rng.integers(0, 3, SIZE)


X_META, Y_META = rng.normal(size=(6, 5)).astype("float32"), np.array([0, 1, 2, 0, 1, 2])


TAUGHT = rng.dirichlet(np.ones(3), SIZE).astype("float32")


VARIANCES = rng.uniform(0, 1, SIZE).astype("float32")


def stream(y=Y):
    """Every epoch the same batches; the steps look at no meta batch."""
    data = tf.data.Dataset.from_tensor_slices((X, y, np.arange(SIZE))).batch(BATCH)
    meta = {"meta_inputs": tf.constant(X_META), "meta_labels": tf.constant(Y_META)}
    return data.map(lambda x, y, i: ({"inputs": x, "sample_id": i, **meta}, y))


def student(classifier=None, **options):
    keras.utils.set_random_seed(4)
    model = FidelityWeighted(classifier or mlp(), SIZE, **{"epochs": 2, "fwl_epochs": 2, **options})
    model.compile(keras.optimizers.SGD(0.3, momentum=0.9), run_eagerly=True)
    model.whole_sets = WholeSets.from_arrays(X, Y, X_META, Y_META, batch_size=10)
    return model


def taught(model):
    """The model in its last phase, with `TAUGHT` and `VARIANCES` instead of a teacher's."""
    model.consult_teacher = lambda: model.training_objective.be_taught(
        np.arange(SIZE), TAUGHT, VARIANCES
    )
    for _ in range(2):
        model.phases.advance()
    return model


def fit(model, elements, epochs):
    model.fit(elements, epochs=epochs, verbose=0, shuffle=False)
    return model


def test_the_first_phase_is_plain_training():
    model = fit(student(), stream(), 2)
    keras.utils.set_random_seed(4)
    plain = CrossEntropy(mlp())
    plain.compile(keras.optimizers.SGD(0.3, momentum=0.9), run_eagerly=True)
    fit(plain, stream(), 2)
    for a, b in zip(model.classifier.weights, plain.classifier.weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)
    logits = np.zeros((SIZE, 3), "float32")
    np.testing.assert_array_equal(model.sample_weight(Y, logits, np.arange(SIZE)), np.ones(SIZE))


def test_with_beta_0_it_is_plain_training_on_the_teachers_labels():
    model = fit(taught(student(fwl_beta=0.0)), stream(), 2)
    keras.utils.set_random_seed(4)
    plain = CrossEntropy(mlp())
    plain.compile(keras.optimizers.SGD(0.3, momentum=0.9), run_eagerly=True)
    fit(plain, stream(TAUGHT), 2)
    for a, b in zip(model.classifier.weights, plain.classifier.weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


def test_one_step_in_numpy():
    inputs = keras.Input((5,))
    classifier = keras.Model(inputs, keras.layers.Dense(3)(inputs))
    kernel = classifier.get_weights()[0].astype("float64")
    model = taught(student(classifier, fwl_beta=2.0))
    fit(model, stream().take(1), 1)
    x, weights = X[:BATCH], np.exp(-2 * VARIANCES)
    p = np.exp(x @ kernel)
    p /= p.sum(axis=1, keepdims=True)
    delta = weights[:BATCH, None] * (p - TAUGHT[:BATCH]) / BATCH
    expected = kernel - 0.3 * x.T @ delta
    np.testing.assert_allclose(classifier.get_weights()[0], expected, rtol=1e-5, atol=1e-6)
    given = model.sample_weight(Y, np.zeros((SIZE, 3), "float32"), np.arange(SIZE))
    np.testing.assert_allclose(given, weights, rtol=1e-6)


def test_wrong_labels_are_corrected_on_separable_data():
    """40 % of the labels of three clouds are wrong; nine trusted examples put all of them right."""
    centres = 3 * np.eye(3, 5)
    clean = np.arange(60) % 3
    draw = np.random.default_rng(8)
    x = (centres[clean] + 0.2 * draw.normal(size=(60, 5))).astype("float32")
    given = np.where(np.arange(60) % 5 < 2, (clean + 1) % 3, clean)
    x_meta = (centres[clean[:9]] + 0.2 * draw.normal(size=(9, 5))).astype("float32")
    model = FidelityWeighted(mlp(), 100, epochs=1)
    ids = 99 - np.arange(60)
    model.whole_sets = WholeSets.from_arrays(x, given, x_meta, clean[:9], ids, batch_size=25)
    model.consult_teacher()
    labels = model.training_objective._labels.numpy()
    np.testing.assert_array_equal(labels[ids].argmax(axis=1), clean)
    np.testing.assert_array_equal(labels[:40], 0)  # ids that no example has


def test_without_a_teachers_label_the_given_one_holds():
    model = student()
    model.training_objective.be_taught(np.array([1]), np.array([[0.0, 0.0, 1.0]]), np.array([0.5]))
    logits = tf.constant(np.log([[0.5, 0.25, 0.25]] * 2), tf.float32)
    value, weights = model.training_objective.objective(
        logits, model.training_batch(tf.constant([0, 0]), tf.constant([0, 1]))
    )
    np.testing.assert_allclose(weights, [1, np.exp(-0.5 * model._arguments["fwl_beta"])], rtol=1e-6)
    np.testing.assert_allclose(value, (np.log(2) + weights[1] * np.log(4)) / 2, rtol=1e-6)


def test_what_is_refused_before_training(monkeypatch):
    with pytest.raises(ValueError, match="functional or Sequential"):
        FidelityWeighted(subclassed(), 5, epochs=1)
    with pytest.raises(
        ValueError, match="fwl_length_scale: expected one of marginal_likelihood, median"
    ):
        FidelityWeighted(mlp(), 5, epochs=1, fwl_length_scale="mean")
    sparse = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with pytest.raises(ValueError, match="loss: expected a loss that takes the teacher"):
        FidelityWeighted(mlp(), 5, epochs=1).compile("sgd", loss=sparse)
    model = student()
    model.whole_sets = WholeSets.from_arrays(X, Y)
    with pytest.raises(ValueError, match="whole_sets: expected a meta set, "):
        model.fit(stream())
    monkeypatch.setattr(gaussian_process_teacher, "LARGEST", 5)
    with pytest.raises(ValueError, match="meta set: expected at most 5 .* received 6 for 1"):
        student().fit(stream())
