"""The weights of a mentor: its percentile, its stages and its dropout."""

import keras
import numpy as np
import tensorflow as tf

from tests.methods.mentornet.mentors import (
    Constant,
    by_numpy,
    clouds,
    compiled,
    elements,
    weighting,
)
from tests.models import mlp
from tf_mwn.engine.objective import TrainingBatch
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.methods.mentornet.mentor_net import mentor_features
from tf_mwn.methods.mentornet.mentor_weighting import MentorWeighting
from tf_mwn.training.cross_entropy import CrossEntropy
from tf_mwn.training.robust_model import RobustModel

LABELS = tf.constant([0, 1, 2, 0])


P_Y = np.array([0.9, 0.5, 0.2, 0.6])


def logits_of(p_y):
    """Logits [4, 3] that give each label its p_y and share the rest equally."""
    p = np.asarray(p_y)[:, None]
    return tf.constant(np.log(np.where(np.eye(3)[LABELS], p, (1 - p) / 2)), tf.float32)


def batch(step=0):
    return TrainingBatch(LABELS, cross_entropy, tf.constant([5, 1, 2, 0]), tf.constant(step))


def test_the_running_percentile_by_hand():
    objective = weighting(percentile=0.5, memory=0.5)
    objective.observe(logits_of(P_Y), batch(0))
    first = 0.5 * -np.log(0.6)  # the second smallest of four, and the start at 0
    np.testing.assert_allclose(objective.scalars()["percentile"], first, rtol=1e-4)
    objective.observe(logits_of([0.99, 0.98, 0.97, 0.96]), batch(1))
    second = 0.5 * first + 0.5 * -np.log(0.98)
    np.testing.assert_allclose(objective.scalars()["percentile"], second, rtol=1e-4)


def test_weights_are_the_mentors_at_this_stage():
    objective = weighting(percentile=0.5)
    objective.observe(logits_of(P_Y), batch(151))  # 75.5 %
    value, weights = objective.objective(logits_of(P_Y), batch(151))
    losses = -np.log(P_Y)
    features = np.stack([losses, losses + 0.5 * np.log(0.6), 0 * losses, 0 * losses + 75], axis=1)
    expected = by_numpy(objective.mentor, features)
    np.testing.assert_allclose(weights, expected, rtol=1e-4)
    np.testing.assert_allclose(value, np.mean(expected * losses), rtol=1e-4)


def test_the_percent_stops_at_99_and_freezes_after_the_burn_in():
    late, frozen = weighting(), weighting(burn_in=18, freezes=True)
    losses = tf.constant([0.1, 1.0])

    def told(objective, percent):
        differences = losses - objective.scalars()["percentile"]
        return objective.mentor(mentor_features(losses, differences, percent))

    for step, percent in ((0, 0), (33, 16), (34, 17), (100, 50), (199, 99), (250, 99)):
        for objective in (late, frozen):
            objective.observe(logits_of(P_Y), batch(step))
        np.testing.assert_allclose(late.curve(losses), told(late, percent))
        wanted = np.ones(2) if percent < 17 else told(frozen, min(percent, 18))
        np.testing.assert_allclose(frozen.curve(losses), wanted)


def test_example_dropout_keeps_exactly_its_part_of_the_weights():
    objective = weighting(Constant(), example_dropout="0.5,50,0.25,50")
    seen = np.zeros(4)
    for step in range(60):
        objective.observe(logits_of(P_Y), batch(step))
        weights = objective.objective(logits_of(P_Y), batch(step))[1].numpy()
        assert sorted(weights) == [0, 0, 1, 1]
        seen += weights
    assert seen.min() > 20  # of 30 expected, whoever is asked
    objective.observe(logits_of(P_Y), batch(199))
    assert objective.objective(logits_of(P_Y), batch(199))[1].numpy().sum() == 3
    np.testing.assert_array_equal(objective.curve(tf.constant([1.0, 2.0])), [1, 1])


def test_full_trust_without_dropout_is_plain_training():
    x, y = clouds(60, 1)
    trained = []
    for make in (
        CrossEntropy,
        lambda net: RobustModel(net, MentorWeighting(Constant(), 60, 3, epochs=3)),
    ):
        keras.utils.set_random_seed(2)
        model = compiled(make(mlp()))
        model.fit(elements(x, y), epochs=3, steps_per_epoch=3, verbose=0)
        trained.append(model.classifier.get_weights())
    for a, b in zip(*trained, strict=True):
        np.testing.assert_array_equal(a, b)


def test_one_step_on_a_linear_model():
    x, y = clouds(4, 3)
    inputs = keras.Input((5,))
    classifier = keras.Model(inputs, keras.layers.Dense(3)(inputs))
    objective = weighting(percentile=0.75, example_dropout="0.5,100", seed=4)
    model = RobustModel(classifier, objective)
    model.compile(keras.optimizers.SGD(0.1))
    kernel, bias = (value.astype("float64") for value in classifier.get_weights())
    ids = np.array([5, 1, 2, 0])
    element = {"inputs": tf.constant(x), "sample_id": tf.constant(ids)}
    drops = objective._takes_part(TrainingBatch(y, cross_entropy, ids, tf.constant(0))).numpy()
    model.train_step((element, tf.constant(y)))

    z = x @ kernel + bias
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    losses = -np.log(p[np.arange(4), y])
    differences = losses - 0.5 * np.sort(losses)[2]
    features = np.stack([losses, differences, 0 * losses, 0 * losses], axis=1)
    v = by_numpy(objective.mentor, features) * drops
    cotangent = v[:, None] * (p - np.eye(3)[y]) / 4
    assert drops.sum() == 2
    np.testing.assert_allclose(classifier.get_weights()[0], kernel - 0.1 * x.T @ cotangent, 1e-4)
    np.testing.assert_allclose(
        classifier.get_weights()[1], bias - 0.1 * cotangent.sum(axis=0), 1e-4, 1e-6
    )
