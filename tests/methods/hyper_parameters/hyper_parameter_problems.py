"""Problems and second routes that the tests of learned hyper-parameters share."""

import keras
import numpy as np
import tensorflow as tf

from tf_mwn import gated_classifier
from tf_mwn.engine.linearise import Linearisation

L = keras.layers


def squared(labels, logits):
    return 0.5 * (logits[:, 0] - tf.cast(labels, logits.dtype)) ** 2


def line(*slopes):
    """z = w x for each slope w."""
    inputs = keras.Input((1,))
    branches = [
        L.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(w))(inputs)
        for w in slopes
    ]
    if len(slopes) == 1:
        return keras.Model(inputs, branches[0])
    return gated_classifier(inputs, branches)


def one_example(target=0.0):
    """x = 1 in both sets, with y = `target` in training and 0 in the meta set."""
    features = {"inputs": tf.ones((1, 1)), "sample_id": tf.constant([0])}
    meta = {"meta_inputs": tf.ones((1, 1)), "meta_labels": tf.constant([0.0])}
    return {**features, **meta}, tf.constant([target])


def compiled(model, optimizer=None, loss=None, meta_rate=1.0):
    model.compile(
        optimizer or keras.optimizers.SGD(0.1),
        meta_optimizer=keras.optimizers.SGD(meta_rate),
        loss=loss,
    )
    return model


def meta_gradient(model, features, labels, network=None):
    linear = Linearisation(network or model.classifier, features["inputs"])
    return model.meta_gradient(
        linear, model.training_batch(labels, features["sample_id"]), features
    )[0]


def stateless(network, weights, inputs, labels):
    """Mean cross-entropy in training mode; nothing of the package."""
    state = [tf.convert_to_tensor(s) for s in network.non_trainable_variables]
    logits, _ = network.stateless_call(weights, state, inputs, training=True)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return loss(labels, logits)


def central_differences(function, size, step=1e-5):
    """∂function/∂Θ at Θ = 0."""
    return [(function(step * e) - function(-step * e)) / (2 * step) for e in np.eye(size)]


def plain_gradient(loss, weights):
    with tf.GradientTape() as tape:
        tape.watch(weights)
        value = loss(weights)
    return tape.gradient(value, weights)
