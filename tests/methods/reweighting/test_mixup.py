"""Mixup: its shares, its partners and the blend."""

import numpy as np
import pytest
import tensorflow as tf

from tf_mwn.methods.reweighting.mixup import Mixup, blend


def test_mixup_share_is_the_larger_half_of_beta():
    from scipy import stats

    share = Mixup(4.0, seed=0).share
    drawn = np.array([share(tf.constant(step)) for step in range(400)])
    assert drawn.min() >= 0.5 and drawn.max() <= 1.0
    larger = np.linspace(0.5, 1, 7)[1:-1]
    expected = 2 * stats.beta(4, 4).cdf(larger) - 1
    np.testing.assert_allclose([(drawn <= q).mean() for q in larger], expected, atol=0.08)
    assert drawn[3] == share(tf.constant(3))


def test_mixup_partners_are_a_permutation():
    values = tf.range(20), tf.reshape(tf.range(40.0), [20, 2])
    numbers, rows = Mixup(1.0, seed=0).partners(tf.constant(5), list(values))
    assert sorted(np.array(numbers)) == list(range(20)) and np.any(numbers != values[0])
    np.testing.assert_array_equal(rows, tf.gather(values[1], numbers))


def test_blend():
    np.testing.assert_allclose(blend(tf.constant(0.75), tf.ones(2), tf.fill([2], 5.0)), [2.0, 2.0])
    with pytest.raises(ValueError, match="floating point numbers for mixup.*cmw_mixup=0"):
        blend(tf.constant(0.75), tf.ones(2, tf.int32), tf.ones(2, tf.int32))
