"""The CIFAR ResNets of the papers: 6n + 2 layers, parameter-free shortcuts."""

import keras

from tf_mwn.networks.initializers import (
    batch_norm,
    check_image,
    convolution,
    logits_layer,
)


def resnet(input_shape: tuple[int, ...], num_classes: int, depth: int = 32) -> keras.Model:
    """ResNet of `depth` = 6n + 2 layers in three stages of 16, 32 and 64 channels.

    As in the Meta-Weight-Net code: shortcut "A" (every second pixel, zero-padded channels), no
    convolution bias, Kaiming-normal kernels. Inputs [B, H, W, channels], H, W >= 8; any depth
    6n + 2; logits [B, num_classes].

    References:
        He et al., Deep Residual Learning, 2016, section 4.2, https://arxiv.org/abs/1512.03385.
    """
    check_image(f"resnet{depth}", input_shape)
    if depth < 8 or (depth - 2) % 6:
        raise ValueError(f"depth: expected 6n + 2 with n >= 1, received {depth}")
    inputs = keras.Input(input_shape, name="inputs")
    x = convolution(inputs, 16)
    x = keras.layers.ReLU()(batch_norm()(x))
    for filters in (16, 32, 64):
        for block in range((depth - 2) // 6):
            x = _basic_block(x, filters, 2 if block == 0 and filters > 16 else 1)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, logits_layer(64, num_classes)(x), name=f"resnet{depth}")


def _basic_block(x, filters: int, stride: int):
    y = keras.layers.ReLU()(batch_norm()(convolution(x, filters, stride=stride)))
    y = batch_norm()(convolution(y, filters))
    return keras.layers.ReLU()(keras.layers.Add()([y, _shortcut(x, filters, stride)]))


def _shortcut(x, filters: int, stride: int):
    if stride > 1:
        # Pooling over one pixel is subsampling, by a layer that any Keras can load.
        x = keras.layers.AveragePooling2D(1, stride)(x)
    missing = filters - x.shape[-1]
    if missing:
        x = keras.ops.pad(x, [[0, 0], [0, 0], [0, 0], [missing // 2, missing - missing // 2]])
    return x
