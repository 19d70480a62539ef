"""The residual block whose batch norm and ReLU come before its convolutions."""

import keras

from tf_mwn.networks.initializers import batch_norm, convolution


def activated(x):
    """Batch norm, then ReLU."""
    return keras.layers.ReLU()(batch_norm()(x))


def preactivation_block(x, filters: int, stride: int, initializer, dropout: float = 0.0):
    """Adds two 3x3 convolutions of the activated input to the input.

    Where the number of channels changes, a 1x1 projection of the activated input takes the input's
    place.

    Args:
        x: [B, H, W, channels].
        filters: channels of the result.
        stride: stride of the first convolution; more than 1 only where the channels change.
        initializer: function that returns a new initialiser for each kernel.
        dropout: rate before the second convolution.

    References:
        He et al., Identity Mappings in Deep Residual Networks, 2016, figure 4e.
    """
    y = activated(x)
    if x.shape[-1] != filters:
        x = convolution(y, filters, 1, stride, initializer())
    y = activated(convolution(y, filters, 3, stride, initializer()))
    if dropout:
        y = keras.layers.Dropout(dropout)(y)
    return keras.layers.Add()([x, convolution(y, filters, 3, 1, initializer())])
