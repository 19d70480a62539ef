"""Random weights are a function of seed and step."""

import math

import numpy as np
import pytest
import tensorflow as tf

from tf_mwn.methods.rules.random_weights import rectified_gaussian


def test_random_weights_are_a_function_of_seed_and_step():
    draw = rectified_gaussian(3, tf.constant(7), 20_000, tf.float32).numpy()
    np.testing.assert_array_equal(draw, rectified_gaussian(3, tf.constant(7), 20_000, tf.float32))
    for seed, step in ((3, 8), (4, 7)):
        other = rectified_gaussian(seed, tf.constant(step), 20_000, tf.float32)
        assert abs(np.corrcoef(draw, other)[0, 1]) < 0.05
    assert abs((draw == 0).mean() - 0.5) < 0.02
    assert draw.mean() == pytest.approx((2 * math.pi) ** -0.5, abs=0.02)
    assert (draw**2).mean() == pytest.approx(0.5, abs=0.03)
