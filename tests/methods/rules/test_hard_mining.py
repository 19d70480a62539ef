"""Hard mining keeps every positive."""

import numpy as np
import tensorflow as tf

from tf_mwn.methods.rules.hard_mining import hard_mining, minority_classes


def f64(values):
    return tf.constant(values, tf.float64)


def test_hard_mining_keeps_every_positive():
    losses, positive = f64([0.0, 0.4, 0.6, 9.0]), tf.constant([True, False, False, True])
    np.testing.assert_array_equal(hard_mining(losses, positive, lambda_=0.5), [1, 0, 1, 1])
    np.testing.assert_array_equal(minority_classes([100, 51, 50, 49, 1]), [0, 0, 0, 1, 1])
    assert not minority_classes([67, 66, 67]).any()
