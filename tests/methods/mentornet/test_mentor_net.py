"""The mentor network of the paper."""

import numpy as np
import tensorflow as tf

from tests.methods.mentornet.mentors import by_numpy
from tf_mwn.methods.mentornet.mentor_net import MentorNet, mentor_features


def test_the_network_is_the_papers():
    mentor = MentorNet(3)
    features = np.array([[0.1, -0.4, 0, 0], [2.0, 1.5, 1, 99], [30.0, 5.0, 0, 18]])
    weights = mentor(tf.constant(features, tf.float32))
    np.testing.assert_allclose(weights, by_numpy(mentor, features), rtol=1e-5)
    # Two gates with biases, the label's code, 9-20-1; the percent's code is fixed.
    assert mentor.count_params() - 500 == 2 * (4 + 2) + 4 + (9 * 20 + 20) + (20 + 1)
    assert len(mentor.trainable_variables) == len(mentor.variables) - 1
    again = mentor_features(tf.constant([2.0]), tf.constant([1.5]), tf.constant(99))
    np.testing.assert_array_equal(again, [[2.0, 1.5, 0, 99]])
