"""Derivatives along a direction: what they are where both batches coincide."""

import numpy as np
import tensorflow as tf

from tests.models import element, mlp
from tf_mwn.engine.linearise import Linearisation


def test_similarity_is_the_squared_gradient_when_batches_coincide():
    """Meta batch = training batch, α -> 0: J u's mean loss derivative is ||∇ mean l||² >= 0."""
    features, labels = element([(5,)])
    classifier = mlp()
    linear = Linearisation(classifier, features["inputs"])
    n = float(len(labels))
    cotangent = (tf.nn.softmax(linear.logits) - tf.one_hot(labels, 3)) / n
    gradient, pushforward = linear.pullback_and_pushforward(cotangent, range(len(linear.weights)))
    similarity = tf.reduce_sum(cotangent * pushforward(gradient))
    norm = sum(float(tf.reduce_sum(g**2)) for g in gradient)
    np.testing.assert_allclose(similarity, norm, rtol=1e-5)
