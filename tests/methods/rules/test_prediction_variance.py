"""The variance of predictions over their history."""

import numpy as np
import pytest
import tensorflow as tf

from tf_mwn.methods.rules.prediction_variance import History, prediction_variance


def f64(values):
    return tf.constant(values, tf.float64)


def test_prediction_variance_is_that_of_the_whole_history():
    rng = np.random.default_rng(0)
    values = rng.random((5, 4))
    values[:, 3] = 0.3
    history = History(*(tf.zeros(4, tf.float64) for _ in range(3)))
    for row in values:
        history = history.extended(f64(row), tf.ones(4, tf.float64))
    variance = values.var(axis=0, ddof=1)
    expected = np.sqrt(variance + variance**2 / 4) + 0.2
    np.testing.assert_allclose(prediction_variance(history, epsilon=0.2), expected, rtol=1e-12)
    assert float(prediction_variance(history, epsilon=0.2)[3]) == pytest.approx(0.2, abs=1e-8)


def test_a_short_or_skipped_history_is_no_nan():
    history = History(*(tf.zeros(2, tf.float64) for _ in range(3)))
    history = history.extended(f64([0.7, 0.9]), f64([1.0, 0.0]))
    np.testing.assert_array_equal(history.count, [1, 0])
    np.testing.assert_array_equal(history.mean, [0.7, 0.0])
    np.testing.assert_allclose(prediction_variance(history, epsilon=0.2), [0.2, 0.2])
