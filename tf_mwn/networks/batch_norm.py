"""Synchronised batch norm."""

import keras

from tf_mwn.engine.keras_internals import every_layer


def synchronised(model: keras.Model) -> keras.Model:
    """Makes every batch norm of `model` compute its statistics over the shares of all devices.

    On one device nothing changes. Without this, as by default in Keras, each device normalises its
    share of a batch by that share's statistics, so results depend slightly on how many there are.

    Returns:
        `model` itself.
    """
    for layer in every_layer(model):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True
    return model
