"""Recurrent network for sequences of tokens."""

import keras

from tf_mwn.networks.initializers import logits_layer

_UNITS = 32


def gru(input_shape: tuple[int, ...], num_classes: int, vocabulary: int) -> keras.Model:
    """An embedding of 32 numbers a token, a GRU of 32 units, logits [B, num_classes].

    Args:
        input_shape: (T,), the length of a sequence. Token 0 is padding and is skipped.
        num_classes: number of logits.
        vocabulary: tokens are numbers from 0 to `vocabulary` - 1.

    Raises:
        ValueError: inputs of another rank.
    """
    if len(input_shape) != 1:
        raise ValueError(
            f"network: expected sequences of tokens [N, T] for gru_{vocabulary}, received inputs "
            f"of shape {list(input_shape)}"
        )
    inputs = keras.Input(input_shape, name="inputs")
    x = keras.layers.Embedding(vocabulary, _UNITS, mask_zero=True)(inputs)
    # cuDNN's kernel has no second derivative, which meta gradients need.
    x = keras.layers.GRU(_UNITS, use_cudnn=False)(x)
    return keras.Model(inputs, logits_layer(_UNITS, num_classes)(x), name="gru")
