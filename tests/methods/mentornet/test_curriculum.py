"""MentorNet's curricula and example dropout: values by hand and exact counts."""

import math

import numpy as np
import pytest
import tensorflow as tf

from tf_mwn.methods.mentornet.curriculum import curriculum, linear, mixed
from tf_mwn.methods.mentornet.specs import MENTOR_CURRICULUM


def f64(values):
    return tf.constant(values, tf.float64)


DIFFERENCES = f64([-1.0, 0.0, 0.25, 1.0, 3.0])


def at(name, losses=(0.0, 1.0, 2.0, 3.0, 4.0), percent=50):
    return curriculum(name, f64(losses), DIFFERENCES, tf.fill([5], percent)).numpy()


def test_values_by_hand():
    np.testing.assert_array_equal(at("baseline"), np.ones(5))
    np.testing.assert_array_equal(at("self_paced"), [1, 1, 0, 0, 0])
    np.testing.assert_array_equal(at("hard_mining"), [0, 1, 1, 1, 1])
    np.testing.assert_array_equal(at("linear"), [1, 1, 0.75, 0, 0])
    halves = at("focal", losses=[0.0, math.log(2), math.log(4), 50.0, math.log(2)])
    np.testing.assert_allclose(halves, [0, 0.25, 0.5625, 1, 0.25], atol=1e-12)


def test_the_predefined_curriculum_has_three_stages():
    np.testing.assert_array_equal(at("mixed", percent=18), np.ones(5))
    np.testing.assert_array_equal(at("mixed", percent=19), at("self_paced"))
    np.testing.assert_array_equal(at("mixed", percent=89), at("self_paced"))
    np.testing.assert_array_equal(at("mixed", percent=90), at("linear"))
    each = mixed(f64([0.25, 0.25, 0.25]), tf.constant([0, 50, 99]))
    np.testing.assert_array_equal(each, [1, 0, 0.75])


def test_linear_weights_end_at_gamma():
    np.testing.assert_allclose(linear(DIFFERENCES, gamma=4.0), [1, 1, 0.9375, 0.75, 0.25])


@pytest.mark.parametrize("name", MENTOR_CURRICULUM.range)
def test_every_curriculum_is_a_weight(name):
    for percent in (0, 50, 99):
        weights = at(name, percent=percent)
        assert weights.shape == (5,) and weights.min() >= 0 and weights.max() <= 1


def test_an_unknown_curriculum_suggests_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'mixed'"):
        at("mixd")
