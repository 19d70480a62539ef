"""The policy of the teacher: features, score, and REINFORCE."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_mwn.methods.teachers.teacher_policy import Reinforce, TeacherPolicy, teaching_features

rng = np.random.default_rng(0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def normal(*shape):
    return rng.normal(size=shape).astype("float32")


def values(variables):
    return [keras.ops.convert_to_numpy(v).copy() for v in variables]


def assert_equal(these, those, **tolerance):
    for a, b in zip(these, those, strict=True):
        np.testing.assert_allclose(a, b, **{"rtol": 0, "atol": 0, **tolerance})


def test_features_by_hand():
    logits = np.log([[0.5, 0.2, 0.3], [0.1, 0.1, 0.8]]).astype("float32")
    features = teaching_features(np.array([0, 1]), logits, tf.constant([0.25, 0.5, 0.75]))
    expected = [
        [1, 0, 0, 0.25, 0.5, 0.75, 0.5, 0.2, 0.3, np.log(2), 0.2],
        [0, 1, 0, 0.25, 0.5, 0.75, 0.1, 0.1, 0.8, np.log(10), -0.7],
    ]
    np.testing.assert_allclose(features, expected, rtol=1e-5, atol=1e-6)
    one_hot = teaching_features(np.eye(3)[[0, 1]], logits, tf.constant([0.25, 0.5, 0.75]))
    np.testing.assert_array_equal(one_hot, features)


def random_policy(features):
    policy = TeacherPolicy(features)
    for variable in policy.trainable_variables:
        variable.assign(0.5 * normal(*variable.shape))
    return policy


def test_the_score_equals_a_numpy_reference():
    policy, x, a = random_policy(6), normal(7, 6), rng.integers(0, 2, 7)
    kernel, bias, last, last_bias = values(policy.trainable_variables)
    hidden = np.tanh(x @ kernel + bias)
    keep = sigmoid(hidden @ last[:, 0] + last_bias[0])
    # ∂ ln π / ∂ logit is 1 - π(keep) where kept and -π(keep) where dropped.
    d = (a - keep)[:, np.newaxis]
    back = d * last[:, 0] * (1 - hidden**2)
    expected = [x.T @ back, back.sum(axis=0), hidden.T @ d, d.sum(axis=0)]
    assert_equal(policy.score(x, a), expected, rtol=1e-4, atol=1e-5)


def test_reinforce_equals_a_numpy_reference():
    layer = keras.layers.Layer()
    weight = layer.add_weight(shape=(2,), name="weight")
    learner = Reinforce(layer, [weight])
    scores, rewards = normal(3, 4, 2), [0.5, 0.9, 0.2]
    baseline = rewards[0]
    for episode, reward in zip(scores, rewards, strict=True):
        for score in episode:
            learner.add_scores([tf.constant(score)], tf.constant(5.0))
        (gradient,) = learner.end_episode(reward)
        expected = -(reward - baseline) * episode.sum(axis=0) / 20
        np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-7)
        baseline = 0.8 * baseline + 0.2 * reward
        np.testing.assert_allclose(float(learner.baseline), baseline, rtol=1e-6)


@pytest.mark.usefixtures("float64")
def test_keeping_the_good_example_becomes_likelier():
    """Two examples; the reward is 1 for keeping the good one and -1 for keeping the bad one.

    Over all four outcomes the estimate has the gradient of the expected reward as its mean.
    """
    policy, x = random_policy(4), tf.constant(rng.normal(size=(2, 4)))
    variables = policy.trainable_variables
    with tf.GradientTape() as tape:
        keep = tf.sigmoid(policy(x))
        expected_reward = keep[0] - keep[1]
    exact = tape.gradient(expected_reward, variables)
    mean = [tf.zeros_like(g) for g in exact]
    learner = Reinforce(keras.layers.Layer(), variables)
    learner.end_episode(0.1)  # a baseline
    for a in itertools.product((0, 1), repeat=2):
        learner.baseline.assign(0.1)
        learner.add_scores(policy.score(x, np.array(a)), tf.constant(1.0, tf.float64))
        estimate = learner.end_episode(a[0] - a[1])
        probability = np.prod(np.where(a, keep, 1 - keep))
        mean = [m - probability * g for m, g in zip(mean, estimate, strict=True)]
    assert_equal(mean, exact, rtol=1e-6, atol=1e-9)
    for variable, g in zip(variables, mean, strict=True):
        variable.assign_add(0.01 * g)
    after = tf.sigmoid(policy(x))
    assert after[0] > keep[0] and after[1] < keep[1]


def test_the_teacher_learns_whom_to_trust_from_many_episodes():
    """A bandit of 100 episodes: the reward is the share of right decisions about 20 examples.

    In small steps. A policy that is certain, whatever of, has no score left to learn from, and
    large ones lead there by luck; so would a reward that says nothing of how many are kept.
    """
    is_good = np.arange(20) < 10
    policy, x = TeacherPolicy(2), tf.constant(np.eye(2, dtype="float32")[1 - is_good])
    learner = Reinforce(keras.layers.Layer(), policy.trainable_variables)
    optimizer = keras.optimizers.Adam(0.02)
    optimizer.build(policy.trainable_variables)

    @tf.function
    def learn(kept, reward):
        learner.add_scores(policy.score(x, kept), tf.constant(20.0))
        optimizer.apply(learner.end_episode(reward), policy.trainable_variables)

    draws = np.random.default_rng(0)
    for _ in range(100):
        kept = draws.random(20) <= sigmoid(policy(x).numpy())
        learn(kept, np.mean(kept == is_good))
    keep = sigmoid(policy(x).numpy())
    assert keep[is_good].min() > 0.9 and keep[~is_good].max() < 0.1
