"""Random weights: a baseline that shows the effect of noise in the weights alone."""

import tensorflow as tf


def rectified_gaussian(seed: int, step: tf.Tensor, size: int, dtype) -> tf.Tensor:
    """max(0, z) with a standard normal z for every example; a function of (seed, step) alone.

    The draw covers all examples rather than a batch, so an example's weight does not depend on
    how devices share the batch.

    Args:
        seed: an integer.
        step: integer scalar.
        size: N.
        dtype: of the result.

    Returns:
        [N] in [0, ∞), to be divided by the mean over the batch.

    References:
        Ren et al., Learning to Reweight Examples for Robust Deep Learning, ICML 2018, section 4
        (the baseline "Random"). https://arxiv.org/abs/1803.09050
    """
    normal = tf.math.ndtri(tf.clip_by_value(uniform(seed, step, size), 1e-7, 1 - 1e-7))
    return tf.cast(tf.nn.relu(normal), dtype)


def uniform(seed: int, step: tf.Tensor, size: int) -> tf.Tensor:
    """Uniform in [0, 1], float32 [`size`]; a function of (seed, step) alone."""
    key = tf.stack([tf.constant(seed, tf.int64), tf.cast(step, tf.int64)])
    # Drawn as integers: TensorFlow's own uniform and normal numbers differ under XLA.
    bits = tf.random.stateless_uniform(
        [size], seed=key, minval=None, maxval=None, dtype=tf.int32, alg="philox"
    )
    return tf.cast(bits, tf.float32) / 2.0**32 + 0.5
