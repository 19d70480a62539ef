"""Random weights: a baseline that shows the effect of noise in the weights alone."""

import tensorflow as tf

from tf_mwn.training.random_draws import uniform


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
    drawn = uniform([size], seed, step, "random weights")
    normal = tf.math.ndtri(tf.clip_by_value(drawn, 1e-7, 1 - 1e-7))
    return tf.cast(tf.nn.relu(normal), dtype)
