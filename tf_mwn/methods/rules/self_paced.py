"""Self-paced weights: easy examples come first, and the age λ bounds their loss."""

import tensorflow as tf


def self_paced(losses: tf.Tensor, *, lambda_) -> tf.Tensor:
    """v = 1(l <= λ), the minimiser of v l + G(v) with G(v) = -λ v.

    Args:
        losses: l >= 0, any shape.
        lambda_: the age λ, float or scalar tensor, at least 0.

    Returns:
        Weights of 0 and 1, shaped like `losses`.

    References:
        Kumar, Packer and Koller, Self-Paced Learning for Latent Variable Models, NeurIPS 2010.
    """
    return tf.cast(losses <= lambda_, losses.dtype)


def polynomial(losses: tf.Tensor, *, lambda_, d) -> tf.Tensor:
    """v = (1 - l/λ)_+^{1/(d-1)}, the minimiser of v l + G(v) with G(v) = λ (v^d/d - v).

    d = 2 gives linear weights and d -> ∞ self-paced ones. For λ -> ∞ every weight is 1.

    Args:
        losses: l >= 0, any shape.
        lambda_: the age λ, above 0.
        d: above 1.

    Returns:
        Weights in [0, 1], shaped like `losses`.

    References:
        Gong, Li, Meng, Miao and Liu, Decomposition-Based Evolutionary Multiobjective Optimization
        to Self-Paced Learning, IEEE TEVC 2019.
    """
    rest = tf.nn.relu(1 - losses / lambda_)
    return tf.pow(rest, 1 / (d - 1))


def linear(losses: tf.Tensor, *, lambda_) -> tf.Tensor:
    """v = (1 - l/λ)_+, the minimiser of v l + G(v) with G(v) = λ (v²/2 - v).

    Args:
        losses: l >= 0, any shape.
        lambda_: the age λ, above 0.

    Returns:
        Weights in [0, 1], shaped like `losses`.

    References:
        Jiang et al., Easy Samples First: Self-Paced Reranking for Zero-Example Multimedia Search,
        ACM Multimedia 2014; Jiang et al., Self-Paced Curriculum Learning, AAAI 2015.
    """
    return polynomial(losses, lambda_=lambda_, d=2.0)


def growing_age(epoch: tf.Tensor, *, lambda_: float, growth: float) -> tf.Tensor:
    """λ · growth^epoch: harder examples enter as training goes on.

    Args:
        epoch: epochs done, float scalar.
        lambda_: the age at the start. Below ln C an example enters only once the classifier is
            better than a uniform guess.
        growth: at least 1.
    """
    return lambda_ * tf.pow(tf.constant(growth, epoch.dtype), epoch)


def quantile(losses: tf.Tensor, fraction: float) -> tf.Tensor:
    """The smallest of `losses` [N] that is at least as large as a fraction (0, 1] of them."""
    size = tf.cast(tf.shape(losses)[0], losses.dtype)
    rank = tf.cast(tf.math.ceil(fraction * size), tf.int32) - 1
    return tf.gather(tf.sort(losses), tf.maximum(rank, 0))
