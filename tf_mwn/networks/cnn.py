"""Plain convolutional networks for small images."""

from collections.abc import Sequence

import keras

from tf_mwn.networks.initializers import (
    batch_norm,
    check_image,
    kaiming_normal,
    logits_layer,
    uniform_bias,
    uniform_fan_in,
)


def small_cnn(
    input_shape: tuple[int, ...], num_classes: int, filters: Sequence[int] = (32, 64, 64)
) -> keras.Model:
    """3x3 convolutions with batch norm and ReLU; each halves the image.

    In images under 16 pixels the first one does not. Strides instead of max pooling: the step
    then compiles exactly under XLA.

    Args:
        input_shape: (H, W, channels), at least 8 x 8.
        num_classes: number of logits.
        filters: channels of each convolution.
    """
    check_image("small_cnn", input_shape)
    inputs = x = keras.Input(input_shape, name="inputs")
    is_tiny = min(input_shape[:2]) < 16
    for i, channels in enumerate(filters):
        x = keras.layers.Conv2D(
            channels,
            3,
            strides=1 if i == 0 and is_tiny else 2,
            padding="same",
            use_bias=False,
            kernel_initializer=kaiming_normal(),
        )(x)
        x = batch_norm()(x)
        x = keras.layers.ReLU()(x)
    x = keras.layers.Flatten()(x)
    return keras.Model(inputs, logits_layer(x.shape[-1], num_classes)(x), name="small_cnn")


def cnn9(input_shape: tuple[int, ...], num_classes: int, dropout: float = 0.25) -> keras.Model:
    """The nine-layer network of Co-teaching: 3x3 convolutions, batch norm, leaky ReLU (0.01).

    Three of 128 and three of 256 channels, each followed by 2x2 max pooling and dropout of whole
    channels; then 512, 256 and 128 channels without padding, averaged. Inputs of at least 28 x 28.

    Args:
        input_shape: (H, W, channels).
        num_classes: number of logits.
        dropout: rate in [0, 1).

    References:
        Han et al., Co-teaching, NeurIPS 2018, table 2, https://arxiv.org/abs/1804.06872.
    """
    check_image("cnn9", input_shape, least=28)
    inputs = x = keras.Input(input_shape, name="inputs")
    for channels in (128, 256):
        for _ in range(3):
            x = _leaky_layer(x, channels, "same")
        x = keras.layers.MaxPooling2D(2)(x)
        x = keras.layers.SpatialDropout2D(dropout)(x)
    for channels in (512, 256, 128):
        x = _leaky_layer(x, channels, "valid")
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, _uniform_dense(x, num_classes, "logits"), name="cnn9")


def _leaky_layer(x, channels: int, padding: str):
    bias = uniform_bias(9 * x.shape[-1])
    x = keras.layers.Conv2D(
        channels, 3, 1, padding, kernel_initializer=uniform_fan_in(), bias_initializer=bias
    )(x)
    return keras.layers.LeakyReLU(negative_slope=0.01)(batch_norm()(x))


def _uniform_dense(x, units: int, name: str | None = None):
    return keras.layers.Dense(
        units,
        kernel_initializer=uniform_fan_in(),
        bias_initializer=uniform_bias(x.shape[-1]),
        dtype=keras.config.floatx() if name else None,
        name=name,
    )(x)


def lenet(input_shape: tuple[int, ...], num_classes: int) -> keras.Model:
    """LeNet-5 with ReLU: two 5x5 convolutions of 6 and 16 channels, average pooling, 120, 84.

    Images below 32 pixels a side are padded in the first convolution, as MNIST is. Average pooling
    is the original's, and compiles exactly under XLA. Inputs of at least 12 x 12.

    Args:
        input_shape: (H, W, channels).
        num_classes: number of logits.

    References:
        LeCun et al., Gradient-based learning applied to document recognition, 1998.
    """
    check_image("lenet", input_shape, least=12)
    inputs = x = keras.Input(input_shape, name="inputs")
    for channels in (6, 16):
        padding = "same" if channels == 6 and min(input_shape[:2]) < 32 else "valid"
        x = keras.layers.Conv2D(
            channels,
            5,
            padding=padding,
            activation="relu",
            kernel_initializer=uniform_fan_in(),
            bias_initializer=uniform_bias(25 * x.shape[-1]),
        )(x)
        x = keras.layers.AveragePooling2D(2)(x)
    x = keras.layers.Flatten()(x)
    for units in (120, 84):
        x = keras.layers.ReLU()(_uniform_dense(x, units))
    return keras.Model(inputs, _uniform_dense(x, num_classes, "logits"), name="lenet")
