"""Boosting: rounds by hand, and its ends."""

import numpy as np
import pytest
import tensorflow as tf

from tf_mwn.methods.rules.ada_boost import samme


def f64(values):
    return tf.constant(values, tf.float64)


@pytest.mark.parametrize(("classes", "share"), [(2, 1 / 2), (10, 9 / 10)])
def test_one_round_of_boosting_gives_the_misclassified_their_share(classes, share):
    rng = np.random.default_rng(0)
    weights, wrong = f64(rng.random(50) + 0.5), f64(rng.random(50) < 0.2)
    after = samme(weights, wrong, tf.ones_like(weights), classes).numpy()
    assert after @ wrong.numpy() / after.sum() == pytest.approx(share)
    assert after.mean() == pytest.approx(1)


def test_boosting_by_hand():
    """err = ¼, a = ln 3: the wrong one weighs 3 before scaling by 4/6."""
    after = samme(tf.ones(4), tf.constant([1.0, 0, 0, 0]), tf.ones(4), 2)
    np.testing.assert_allclose(after, [2, 2 / 3, 2 / 3, 2 / 3], rtol=1e-6)


def test_boosting_at_its_ends():
    weights, ones = tf.constant([1.5, 0.5, 1.0]), tf.ones(3)
    np.testing.assert_array_equal(samme(weights, tf.zeros(3), ones, 3), weights)
    chance = tf.constant([1.0, 1.0, 0.0])  # err = 2/3 = 1 - 1/C
    np.testing.assert_array_equal(samme(weights, chance, ones, 3), ones)
    unseen = samme(ones, tf.constant([1.0, 0, 0]), tf.constant([1.0, 1, 0]), 3)
    assert unseen[2] == 1 and np.isfinite(unseen).all()
