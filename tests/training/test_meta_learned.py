"""The meta gradient of a weight for each example, by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_mwn import MetaLearner
from tf_mwn.engine.linearise import Linearisation
from tf_mwn.training.meta_learned import MetaLearnedModel

L = keras.layers


def sgd(**options):
    return keras.optimizers.SGD(0.1, **options)


@pytest.mark.usefixtures("float64")
def test_meta_gradient_of_the_weights_by_hand():
    """l = (wx - y)²/2, w = 1, train (1, 0), (1, 3), meta (1, 0), v = (½, ½), α = 0.1.

    g = (0.5·1·1 + 0.5·(-2))/2 = -0.25, ŵ = 1.025, u = 1.025; dL/dv = -α/2·(1, -2)·u.
    """
    inputs = keras.Input((1,))
    classifier = keras.Model(inputs, L.Dense(1, use_bias=False, kernel_initializer="ones")(inputs))
    model = MetaLearnedModel(classifier, _FreeWeights([0.5, 0.5]))
    model.compile(sgd(), meta_optimizer=sgd(), loss=_half_squared_error)
    features = {"meta_inputs": [[1.0]], "meta_labels": [0.0], "sample_id": [0.0, 1.0]}
    features = {name: tf.constant(value, tf.float64) for name, value in features.items()}
    batch = model.training_batch(tf.constant([0.0, 3.0], tf.float64), features["sample_id"])
    linear = Linearisation(classifier, tf.constant([[1.0], [1.0]], tf.float64))
    (gradient,) = model.meta_gradient(linear, batch, features)
    np.testing.assert_allclose(gradient, [-0.05125, 0.10250], rtol=1e-12)


def _half_squared_error(labels, outputs):
    return 0.5 * (outputs[:, 0] - labels) ** 2


class _FreeWeights(MetaLearner):
    """One free weight per example, as the paper's equation writes v_i."""

    def __init__(self, v):
        super().__init__()
        self.v = self.add_weight(
            shape=(len(v),), initializer=lambda *_, **__: tf.constant(v, tf.float64)
        )

    def objective(self, logits, batch):
        return tf.reduce_mean(self.v * batch.losses(logits)), self.v
