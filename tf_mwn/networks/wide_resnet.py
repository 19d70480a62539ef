"""Wide residual networks for small images."""

import keras

from tf_mwn.networks.initializers import (
    check_image,
    convolution,
    kaiming_fan_out,
    logits_layer,
)
from tf_mwn.networks.preactivation import activated, preactivation_block


def wide_resnet(
    input_shape: tuple[int, ...],
    num_classes: int,
    depth: int = 28,
    width: int = 10,
    dropout: float = 0.0,
) -> keras.Model:
    """WRN of `depth` = 6n + 4 layers: pre-activation blocks of 16, 32, 64 times `width` channels.

    A block that changes the shape has a 1x1 projection of the activated input; the kernels start
    from N(0, 2 / fan_out). Inputs [B, H, W, channels], H, W >= 8; logits [B, num_classes].

    Args:
        input_shape: (H, W, channels).
        num_classes: number of logits.
        depth: 6n + 4, n >= 1.
        width: factor of the channels, at least 1.
        dropout: rate between the two convolutions of a block, in [0, 1).

    Raises:
        ValueError: A depth, width, rate or shape out of range.

    References:
        Zagoruyko and Komodakis, Wide Residual Networks, 2016, https://arxiv.org/abs/1605.07146.
    """
    check_image(f"wrn_{depth}_{width}", input_shape)
    if depth < 10 or (depth - 4) % 6 or width < 1 or not 0.0 <= dropout < 1.0:
        raise ValueError(
            "network wrn: expected a depth 6n + 4, a width of at least 1 and a dropout rate in "
            f"[0, 1), received {depth}, {width} and {dropout}"
        )
    inputs = keras.Input(input_shape, name="inputs")
    x = convolution(inputs, 16, initializer=kaiming_fan_out())
    for stage, filters in enumerate((16, 32, 64)):
        for block in range((depth - 4) // 6):
            stride = 2 if stage and not block else 1
            x = preactivation_block(x, filters * width, stride, kaiming_fan_out, dropout)
    x = keras.layers.GlobalAveragePooling2D()(activated(x))
    outputs = logits_layer(64 * width, num_classes)(x)
    return keras.Model(inputs, outputs, name=f"wrn_{depth}_{width}")
