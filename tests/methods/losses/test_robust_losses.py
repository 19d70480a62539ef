"""Robust losses: published weights, gradients, and the loss that is logged."""

import keras
import numpy as np
import tensorflow as tf

from tests.methods.steps_of_objectives import LABELS, P_Y, batch, logits_of, weights
from tests.models import mlp
from tf_mwn.engine.objective import TrainingBatch
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.losses.generalized import GeneralizedCrossEntropy, generalized_cross_entropy
from tf_mwn.methods.losses import robust_losses
from tf_mwn.methods.losses.robust_losses import truncated_gce


def test_the_published_class_balanced_weights():
    counts = np.round(5000 * 100 ** (-np.arange(10) / 9))
    model = robust_losses.class_balanced(mlp(classes=10), counts)
    labels = tf.range(10)
    given = model.training_objective.objective(
        tf.zeros((10, 10)), TrainingBatch(labels, cross_entropy, labels, tf.constant(0))
    )[1]
    published = [0.0506, 0.0769, 0.1211, 0.1950, 0.3188, 0.5246, 0.8683, 1.4426, 2.4092, 3.9927]
    np.testing.assert_allclose(given, published, atol=1e-3)


def test_ldam_defers_its_weights_and_bends_the_margin_at_once():
    model = robust_losses.ldam_drw(mlp(), [100, 10, 1], steps_per_epoch=3, epochs=10)
    objective = model.training_objective
    np.testing.assert_array_equal(weights(objective, P_Y, step=23), [1, 1, 1, 1])
    late = weights(objective, P_Y, step=24)
    assert late[2] > late[1] > late[0]
    value = objective.objective(logits_of(P_Y), batch())[0]
    assert value > tf.reduce_mean(cross_entropy(LABELS, logits_of(P_Y)))


def test_truncated_gce_has_the_gradient_of_the_truncated_loss():
    model = truncated_gce(mlp(), 4, 1, epochs=3, truncated_gce_start=1 / 3)
    objective = model.training_objective
    np.testing.assert_array_equal(weights(objective, P_Y, step=0), np.ones(4))
    keep = weights(objective, [0.9, 0.51, 0.2, 0.6], step=1)
    np.testing.assert_array_equal(keep, [1, 1, 0, 1])
    logits = logits_of([0.8, 0.4, 0.7, 0.6])
    slopes = []
    for function in (
        lambda z: objective.objective(z, batch(2))[0],
        lambda z: tf.reduce_mean(keep * generalized_cross_entropy(LABELS, z)),
    ):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            value = function(logits)
        slopes.append(tape.gradient(value, logits))
    np.testing.assert_allclose(*slopes, atol=1e-7)


def test_the_logged_loss_is_that_of_compile():
    model = robust_losses.gce(mlp())
    model.compile(keras.optimizers.SGD(0.0))
    x = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")
    element = {"inputs": tf.constant(x), "sample_id": tf.range(4)}
    history = model.fit(tf.data.Dataset.from_tensors((element, LABELS)), verbose=0).history
    expected = np.mean(cross_entropy(LABELS, model(x)))
    np.testing.assert_allclose(history["loss"], [expected], rtol=1e-5)
    own = model.training_objective.objective(model(x), batch())[0]
    np.testing.assert_allclose(own, GeneralizedCrossEntropy(0.7)(LABELS, model(x)), rtol=1e-5)


def test_truncated_gce_prunes_nothing_in_the_first_epoch():
    """An untrained classifier finds every label less likely than k."""
    for epochs, start in ((1, 1 / 3), (5, 0.0)):
        model = truncated_gce(mlp(), 12, 3, epochs, truncated_gce_start=start)
        assert model.training_objective.get_config()["start_epoch"] == 1
        assert model.training_objective.curve(tf.zeros(3)) is None
