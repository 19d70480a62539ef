"""The focal modulator as a weight."""

import tensorflow as tf


def focal_modulator(losses: tf.Tensor, *, alpha) -> tf.Tensor:
    """v = (1 - e^{-l})^α; with l the cross-entropy this is (1 - p_y)^α.

    It rises with the loss, so no regulariser G has it as the minimiser of v l + G(v).

    Args:
        losses: l >= 0, any shape.
        alpha: α, float or scalar tensor, at least 0; 0 gives every example 1.

    Returns:
        Weights in [0, 1], shaped like `losses`.

    References:
        Lin et al., Focal Loss for Dense Object Detection, ICCV 2017.
        https://arxiv.org/abs/1708.02002
    """
    return tf.pow(-tf.math.expm1(-losses), alpha)
