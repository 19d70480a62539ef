"""Weights of iteratively re-weighted fits: robust functions of the residual."""

import tensorflow as tf


def geman_mcclure(losses: tf.Tensor, *, sigma) -> tf.Tensor:
    """v = (σ²/(r² + σ²))², with the loss in place of the squared residual r².

    This is ρ'(r)/r for ρ(r) = r²/(r² + σ²), scaled to v(0) = 1. It minimises v l + G(v) with
    G(v) = σ² (√v - 1)².

    Args:
        losses: l = r² >= 0, any shape.
        sigma: σ, above 0.

    Returns:
        Weights in (0, 1], shaped like `losses`.

    References:
        De la Torre and Black, A Framework for Robust Subspace Learning, IJCV 2003; Black and
        Rangarajan, IJCV 1996 (the regulariser).
    """
    variance = sigma**2
    return (variance / (losses + variance)) ** 2


def generalized_cross_entropy_weight(losses: tf.Tensor, *, q) -> tf.Tensor:
    """v = e^{-q l}, which is p_y^q if l is the cross-entropy.

    The gradient of the generalised cross-entropy (1 - p_y^q)/q is v times that of the
    cross-entropy. v minimises v l + G(v) with G(v) = v (ln v - 1)/q.

    Args:
        losses: l >= 0, any shape.
        q: in (0, 1].

    Returns:
        Weights in [0, 1], shaped like `losses`.

    References:
        Zhang and Sabuncu, Generalized Cross Entropy Loss for Training Deep Neural Networks with
        Noisy Labels, NeurIPS 2018. https://arxiv.org/abs/1805.07836
    """
    return tf.exp(-q * losses)
