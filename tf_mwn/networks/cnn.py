"""A small convolutional network for small images and short runs."""

from collections.abc import Sequence

import keras

from tf_mwn.networks.initializers import (
    batch_norm,
    check_image,
    kaiming_normal,
    logits_layer,
)


def small_cnn(
    input_shape: tuple[int, ...], num_classes: int, filters: Sequence[int] = (32, 64, 64)
) -> keras.Model:
    """3x3 convolutions with batch norm and ReLU, halving the image after the first.

    Strides instead of max pooling: the step then compiles exactly under XLA.

    Args:
        input_shape: (H, W, channels), at least 8 x 8.
        num_classes: number of logits.
        filters: channels of each convolution.
    """
    check_image("small_cnn", input_shape)
    inputs = x = keras.Input(input_shape, name="inputs")
    for i, channels in enumerate(filters):
        x = keras.layers.Conv2D(
            channels,
            3,
            strides=1 if i == 0 else 2,
            padding="same",
            use_bias=False,
            kernel_initializer=kaiming_normal(),
        )(x)
        x = batch_norm()(x)
        x = keras.layers.ReLU()(x)
    x = keras.layers.Flatten()(x)
    return keras.Model(inputs, logits_layer(x.shape[-1], num_classes)(x), name="small_cnn")
