"""Gradients that are applied: one replica that is not finite stops all."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_mwn.engine.optimizers import apply_gradient


@pytest.mark.usefixtures("float16")
def test_a_replica_that_is_not_finite_stops_all(mirrored):
    with mirrored.scope():
        variable = keras.Variable([1.0])
        optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1.0))
        optimizer.build([variable])

    def step():
        number = tf.distribute.get_replica_context().replica_id_in_sync_group
        gradient = tf.where(number == 1, np.inf, 1.0)
        apply_gradient(optimizer, [tf.reshape(gradient, [1])], [variable])

    tf.function(lambda: mirrored.run(step))()
    assert variable.numpy() == [1.0]
    assert optimizer.dynamic_scale.numpy() == optimizer.initial_scale / 2
