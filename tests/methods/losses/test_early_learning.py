"""Early-learning regularisation: targets and losses by hand, and its bounds."""

import numpy as np
import pytest
import tensorflow as tf

from tf_mwn.engine.objective import TrainingBatch, logits_gradient
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.methods.losses.early_learning import EarlyLearning


def batch(labels, ids):
    ids = None if ids is None else tf.constant(ids)
    return TrainingBatch(tf.constant(labels), cross_entropy, ids)


def value_and_slope(target, logits=(0.0, 0.0), **settings):
    """T and its gradient for one example of class 0, with a given target."""
    objective = EarlyLearning(3, len(logits), **settings)
    objective._targets.assign([[0] * len(logits), target, [0] * len(logits)])
    logits, one = tf.constant([logits]), batch([0], [1])
    slope, _ = logits_gradient(lambda z: objective.objective(z, one), logits)
    return objective.objective(logits, one)[0], slope[0]


@pytest.mark.parametrize(
    ("target", "value", "slope"),
    [
        ((0.0, 0.0), np.log(2), (-0.5, 0.5)),  # plain cross-entropy
        ((0.5, 0.5), np.log(2) + 3 * np.log(0.5), (-0.5, 0.5)),
        ((0.9, 0.1), np.log(2) + 3 * np.log(0.5), (-1.7, 1.7)),
    ],
)
def test_the_loss_by_hand(target, value, slope):
    for found, expected in zip(value_and_slope(target), (value, slope), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_the_target_of_a_wrong_label_outweighs_it():
    """The gradient points away from the label 0 where the prediction has long been 1."""
    assert value_and_slope((0.0, 1.0))[1][0] > 0
    np.testing.assert_allclose(value_and_slope((0.0, 1.0), lambda_=0.0)[1], (-0.5, 0.5))


def test_the_regulariser_is_bounded():
    value, slope = value_and_slope((1.0, 0.0), (100.0, -100.0))
    np.testing.assert_allclose(value, 3 * np.log(1e-4), rtol=1e-3)
    np.testing.assert_array_equal(slope, [0, 0])


def test_targets_are_running_averages_from_zero():
    objective = EarlyLearning(4, 2, beta=0.7)
    logits = np.log([[0.8, 0.2], [0.4, 0.6]]).astype("float32")
    objective.observe(logits, batch([0, 0], [2, 0]))
    np.testing.assert_allclose(
        objective._targets, [[0.12, 0.18], [0, 0], [0.24, 0.06], [0, 0]], rtol=1e-5
    )
    objective.observe(logits[::-1], batch([0, 0], [2, 3]))
    expected = [[0.12, 0.18], [0, 0], [0.7 * 0.24 + 0.12, 0.7 * 0.06 + 0.18], [0.24, 0.06]]
    np.testing.assert_allclose(objective._targets, expected, rtol=1e-5)


def test_clamped_predictions_are_averaged_as_distributions():
    objective = EarlyLearning(1, 3, beta=0.0)
    objective.observe(tf.constant([[300.0, 0.0, 0.0]]), batch([0], [0]))
    p = np.array([1 - 1e-4, 1e-4, 1e-4])
    np.testing.assert_allclose(objective._targets[0], p / p.sum(), rtol=1e-5)


def test_examples_outside_the_training_set_have_the_plain_loss():
    objective = EarlyLearning(2, 2)
    one = batch([0], None)
    objective.observe(tf.zeros((1, 2)), one)
    np.testing.assert_allclose(objective.objective(tf.zeros((1, 2)), one)[0], np.log(2))
    np.testing.assert_array_equal(objective._targets, np.zeros((2, 2)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"beta": 1.0}, r"elr_beta: .*\[0, 1\)"), ({"lambda_": -1.0}, r"elr_lambda: .*\[0, inf\)")],
)
def test_settings_outside_their_ranges_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        EarlyLearning(2, 2, **settings)
