"""Random weights: what weighing gains by its noise alone."""

import tensorflow as tf


def rectified_gaussian(seed: int, step: tf.Tensor, size: int, dtype) -> tf.Tensor:
    """max(0, z) with z standard normal, for every example; a function of (seed, step) alone.

    Drawn for all examples and not for a batch, so that an example's weight does not depend on
    how batches are shared among devices. To be divided by its mean over the batch.

    Args:
        seed: an integer.
        step: integer scalar.
        size: N.
        dtype: of the result.

    Returns:
        [N] in [0, ∞).

    References:
        Ren et al., Learning to Reweight Examples for Robust Deep Learning, ICML 2018, section 4
        (the baseline "Random"). https://arxiv.org/abs/1803.09050
    """
    normal = tf.math.ndtri(tf.clip_by_value(uniform(seed, step, size), 1e-7, 1 - 1e-7))
    return tf.cast(tf.nn.relu(normal), dtype)


def uniform(seed: int, step: tf.Tensor, size: int) -> tf.Tensor:
    """Uniform in [0, 1], float32 [`size`]; a function of (seed, step) alone."""
    key = tf.stack([tf.constant(seed, tf.int64), tf.cast(step, tf.int64)])
    # Integers, because TensorFlow's own normal and uniform numbers are others under XLA.
    bits = tf.random.stateless_uniform(
        [size], seed=key, minval=None, maxval=None, dtype=tf.int32, alg="philox"
    )
    return tf.cast(bits, tf.float32) / 2.0**32 + 0.5
