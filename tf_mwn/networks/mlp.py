"""Multilayer perceptron."""

from collections.abc import Sequence

import keras

from tf_mwn.networks.initializers import kaiming_normal, logits_layer


def mlp(
    input_shape: tuple[int, ...], num_classes: int, units: Sequence[int] = (128, 128)
) -> keras.Model:
    """Flatten, ReLU layers of `units`, logits [B, num_classes]. Inputs of any shape."""
    inputs = keras.Input(input_shape, name="inputs")
    x = keras.layers.Flatten()(inputs)
    for size in units:
        x = keras.layers.Dense(size, activation="relu", kernel_initializer=kaiming_normal())(x)
    return keras.Model(inputs, logits_layer(x.shape[-1], num_classes)(x), name="mlp")
