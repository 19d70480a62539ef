"""The learned loss: where it starts, its meta gradient by two other routes, what it learns."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import element, mlp
from tf_mwn.engine.linearise import Linearisation
from tf_mwn.engine.objective import TrainingBatch
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.methods.teachers.loss_teacher import LossTeacher, bilinear_loss, learned_loss
from tf_mwn.training.mean_loss import MeanLoss
from tf_mwn.training.robust_model import RobustModel

rng = np.random.default_rng(0)


def initial_loss(labels, logits):
    """4 / (1 + C p_y), as the docstring states the start."""
    classes = logits.shape[-1]
    return 4 / (1 + classes * tf.exp(-cross_entropy(labels, logits)))


def compiled(rate=0.3, meta_rate=1.0, classes=3):
    model = learned_loss(mlp(classes), num_classes=classes)
    model.compile(keras.optimizers.SGD(rate), keras.optimizers.SGD(meta_rate))
    return model


def perturbed(model):
    """Θ somewhere else, negative entries included."""
    matrix = model.meta_learner.matrix
    matrix.assign(matrix + 0.5 * rng.normal(size=matrix.shape))
    model.meta_learner.bias.assign(0.3)
    return model


def meta_loss(model, theta, features, labels):
    """L_meta(w - α ∇_w mean of the formula), by stateless calls and a tape."""
    matrix, bias = theta
    weights = [tf.convert_to_tensor(w) for w in model.classifier.trainable_variables]
    with tf.GradientTape() as tape:
        tape.watch(weights)
        logits, _ = model.classifier.stateless_call(weights, [], features["inputs"])
        votes = tf.gather(matrix, labels) * tf.math.log(tf.nn.softmax(logits))
        value = tf.reduce_mean(4 / (1 + tf.exp(tf.reduce_sum(votes, axis=1) + bias)))
    rate = float(model.optimizer.learning_rate)
    virtual = [w - rate * g for w, g in zip(weights, tape.gradient(value, weights), strict=True)]
    logits, _ = model.classifier.stateless_call(virtual, [], features["meta_inputs"])
    return tf.reduce_mean(cross_entropy(features["meta_labels"], logits))


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_the_start_is_the_stated_loss(classes):
    logits = tf.constant(3 * rng.normal(size=(20, classes)), tf.float32)
    labels = tf.constant(rng.integers(0, classes, 20))
    teacher = LossTeacher(classes)
    value, weights = teacher.objective(logits, TrainingBatch(labels, cross_entropy))
    np.testing.assert_allclose(value, tf.reduce_mean(initial_loss(labels, logits)), rtol=1e-5)
    assert weights is None


def test_at_a_uniform_prediction_the_first_gradient_is_that_of_cross_entropy():
    labels, logits = tf.constant([0, 2, 1]), tf.zeros([3, 4])
    gradients = []
    for function in (
        cross_entropy,
        lambda y, z: bilinear_loss(y, z, np.eye(4), np.log(4.0)),
    ):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            value = function(labels, logits)
        gradients.append(tape.gradient(value, logits))
    np.testing.assert_allclose(*gradients, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(gradients[0][0], [-0.75, 0.25, 0.25, 0.25])


def test_the_gradient_is_that_of_the_docstring():
    matrix = tf.constant(rng.normal(size=(3, 3)))
    logits, labels = tf.constant(rng.normal(size=(5, 3))), np.array([0, 1, 2, 1, 0])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = bilinear_loss(labels, logits, matrix, 0.75)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    w = matrix.numpy()[labels]
    s = 1 / (1 + np.exp(-((w * np.log(p)).sum(axis=1, keepdims=True) + 0.75)))
    expected = 4 * s * (1 - s) * (p * w.sum(axis=1, keepdims=True) - w)
    np.testing.assert_allclose(tape.gradient(value, logits), expected, rtol=1e-10)
    np.testing.assert_allclose(value, 4 * (1 - s[:, 0]), rtol=1e-10)


def test_soft_labels_mix_the_rows_of_the_matrix():
    matrix, logits = rng.normal(size=(3, 3)), tf.constant(rng.normal(size=(4, 3)))
    labels = np.array([0, 2, 1, 1])
    one_hot = bilinear_loss(np.eye(3)[labels], logits, matrix, 0.2)
    np.testing.assert_allclose(one_hot, bilinear_loss(labels, logits, matrix, 0.2))
    soft = np.tile([0.5, 0.2, 0.3], (4, 1))
    mixed = np.tile(soft[0] @ matrix, (3, 1))
    expected = bilinear_loss(np.zeros(4, int), logits, mixed, 0.2)
    np.testing.assert_allclose(bilinear_loss(soft, logits, matrix, 0.2), expected)


@pytest.mark.parametrize("size", [1e2, 1e6, 1e30])
def test_gradients_are_finite_at_extreme_logits(size):
    logits = tf.constant(size * rng.choice([-1.0, 0.0, 1.0], size=(40, 3)), tf.float32)
    labels = tf.constant(rng.integers(0, 3, 40))
    matrix = tf.constant(2 * rng.normal(size=(3, 3)), tf.float32)
    for theta in ((tf.eye(3), tf.constant(1.1)), (matrix, tf.constant(-50.0))):
        with tf.GradientTape() as tape:
            tape.watch([logits, *theta])
            value = bilinear_loss(labels, logits, *theta)
        assert np.isfinite(value).all() and np.min(value) >= 0 and np.max(value) <= 4
        for gradient in tape.gradient(value, [logits, *theta]):
            assert np.isfinite(gradient).all()


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("change", [lambda model: model, perturbed], ids=["start", "elsewhere"])
def test_the_meta_gradient_is_that_of_tape_of_tape_and_of_finite_differences(change):
    model = change(compiled())
    features, labels = element([(5,)])
    linear = Linearisation(model.classifier, features["inputs"])
    gradient = model.meta_gradient(linear, TrainingBatch(labels, cross_entropy), features)
    theta = [tf.convert_to_tensor(v) for v in (model.meta_learner.matrix, model.meta_learner.bias)]
    with tf.GradientTape() as tape:
        tape.watch(theta)
        value = meta_loss(model, theta, features, labels)
    exact = map(tf.convert_to_tensor, tape.gradient(value, theta))  # not as slices
    for g, expected in zip(gradient, exact, strict=True):
        assert np.abs(g).max() > 1e-6  # not trivially equal
        np.testing.assert_allclose(g, expected, rtol=1e-8, atol=1e-14)

    direction = [rng.normal(size=t.shape) for t in theta]

    def moved(step):
        there = [t + step * d for t, d in zip(theta, direction, strict=True)]
        return float(meta_loss(model, there, features, labels))

    along = sum(float(tf.reduce_sum(g * d)) for g, d in zip(gradient, direction, strict=True))
    np.testing.assert_allclose(along, (moved(1e-5) - moved(-1e-5)) / 2e-5, rtol=1e-5)


def after_twenty_steps(model):
    features, labels = element([(5,)], size=12)
    model.fit(tf.data.Dataset.from_tensors((features, labels)).repeat(20), verbose=0)
    return model.classifier.get_weights()


@pytest.mark.usefixtures("float64")
def test_a_meta_rate_of_zero_is_the_fixed_loss():
    keras.utils.set_random_seed(1)
    learned = compiled(meta_rate=0.0)
    keras.utils.set_random_seed(1)
    fixed = RobustModel(mlp(), MeanLoss())
    fixed.compile(keras.optimizers.SGD(0.3), loss=initial_loss)
    before = fixed.classifier.get_weights()
    after = after_twenty_steps(fixed)
    assert max(np.abs(a - b).max() for a, b in zip(after, before, strict=True)) > 1e-2
    for a, b in zip(after_twenty_steps(learned), after, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_labels_that_name_the_next_class_are_understood():
    """Every label is wrong, in the same way; the meta set shows it, and W learns the way back."""
    centres = 2 * np.eye(3, 5)
    y, y_meta = np.arange(60) % 3, np.arange(30) % 3
    x, x_meta = (centres[c] + 0.3 * rng.normal(size=(len(c), 5)) for c in (y, y_meta))
    features = {"inputs": x, "sample_id": np.arange(60), "meta_inputs": x_meta}
    features = {**features, "meta_labels": y_meta}
    model = learned_loss(mlp(), num_classes=3)
    model.compile(keras.optimizers.SGD(0.3), keras.optimizers.Adam(0.05), metrics=["accuracy"])
    model.fit(tf.data.Dataset.from_tensors((features, (y + 1) % 3)).repeat(120), verbose=0)
    assert model.evaluate(x, y, verbose=0, return_dict=True)["accuracy"] > 0.95
    matrix = keras.ops.convert_to_numpy(model.meta_learner.matrix)
    np.testing.assert_array_equal(matrix.argmax(axis=1), [2, 0, 1])


def test_scalars_and_configuration():
    teacher = LossTeacher(3)
    teacher.matrix.assign([[1.0, 2.0, 0.0], [0.0, 2.0, 0.0], [1.0, 0.0, 3.0]])
    scalars = {name: float(value) for name, value in teacher.scalars().items()}
    assert scalars == pytest.approx({"bias": np.log(3), "diagonal": 2.0, "off_diagonal": 0.5})
    assert LossTeacher.from_config(teacher.get_config()).num_classes == 3
    with pytest.raises(ValueError, match="num_classes: expected an integer of at least 1"):
        LossTeacher(0)
