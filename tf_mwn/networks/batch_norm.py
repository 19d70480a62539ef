"""Batch norm on many devices."""

import keras

from tf_mwn.engine.keras_internals import every_layer


def synchronised(model: keras.Model) -> keras.Model:
    """Lets every batch norm of `model` take its statistics from the batches of all devices.

    On one device nothing changes. By default each device normalises its share of a batch by that
    share's statistics, as always in Keras, and the result depends a little on their number.

    Returns:
        `model` itself.
    """
    for layer in every_layer(model):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True
    return model
