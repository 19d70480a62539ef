"""The focal modulator as a weight."""

import tensorflow as tf


def focal_modulator(losses: tf.Tensor, *, alpha) -> tf.Tensor:
    """v = (1 - e^{-l})^α, which is (1 - p_y)^α if l is the cross-entropy.

    v rises with the loss, so it minimises v l + G(v) for no regulariser G.

    Args:
        losses: l >= 0, any shape.
        alpha: α >= 0, float or scalar tensor; 0 gives every example the weight 1.

    Returns:
        Weights in [0, 1], shaped like `losses`.

    References:
        Lin et al., Focal Loss for Dense Object Detection, ICCV 2017.
        https://arxiv.org/abs/1708.02002
    """
    return tf.pow(-tf.math.expm1(-losses), alpha)
