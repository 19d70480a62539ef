"""The moving average of a classifier."""

import keras
import numpy as np
import tensorflow as tf

from tests.models import cnn_with_batch_norm
from tf_mwn.methods.reweighting.moving_average import MovingAverage

rng = np.random.default_rng(0)


def test_the_moving_average():
    """At step t the momentum is min(m, (1 + t)/(10 + t)); batch-norm statistics go along."""
    classifier = cnn_with_batch_norm()
    average = MovingAverage(keras.Model(), classifier, 0.5)
    old = classifier.get_weights()
    new = [np.abs(rng.normal(size=w.shape)) for w in old]
    classifier.set_weights(new)
    average.update(tf.constant(2))  # 3/12
    twin = cnn_with_batch_norm()
    twin.set_weights([0.25 * a + 0.75 * b for a, b in zip(old, new, strict=True)])
    x = rng.normal(size=(4, 6, 6, 2)).astype("float32")
    np.testing.assert_allclose(average.compiled(x), twin(x, training=False), rtol=1e-4, atol=1e-5)
    average.update(tf.constant(1000))  # 0.5
    twin.set_weights([0.5 * (a + b) for a, b in zip(twin.get_weights(), new, strict=True)])
    np.testing.assert_allclose(average.compiled(x), twin(x, training=False), rtol=1e-4, atol=1e-5)
    for a, b in zip(classifier.get_weights(), new, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
