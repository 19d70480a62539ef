"""Pre-activation residual networks with four stages, for small images."""

import keras

from tf_mwn.networks.initializers import (
    check_image,
    convolution,
    logits_layer,
    uniform_fan_in,
)
from tf_mwn.networks.preactivation import activated, preactivation_block

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}


def preact_resnet(input_shape: tuple[int, ...], num_classes: int, depth: int = 18) -> keras.Model:
    """PreAct-ResNet: stages of 64 to 512 channels, batch norm and ReLU before each layer.

    A block that changes the shape has a 1x1 projection of the activated input. Inputs
    [B, H, W, channels], H, W >= 8; logits [B, num_classes].

    Args:
        input_shape: (H, W, channels).
        num_classes: number of logits.
        depth: 18 or 34.

    Raises:
        ValueError: another depth, or inputs that are no images.

    References:
        He et al., Identity Mappings in Deep Residual Networks, 2016,
        https://arxiv.org/abs/1603.05027.
    """
    check_image(f"preact_resnet{depth}", input_shape)
    if depth not in BLOCKS:
        raise ValueError(f"network preact_resnet: expected depth 18 or 34, received {depth}")
    inputs = keras.Input(input_shape, name="inputs")
    x = convolution(inputs, 64, initializer=uniform_fan_in())
    for stage, blocks in enumerate(BLOCKS[depth]):
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            x = preactivation_block(x, 64 * 2**stage, stride, uniform_fan_in)
    x = keras.layers.GlobalAveragePooling2D()(activated(x))
    return keras.Model(inputs, logits_layer(512, num_classes)(x), name=f"preact_resnet{depth}")
