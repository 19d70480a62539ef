"""Random numbers that a method draws in a training step."""

import zlib
from collections.abc import Sequence

import tensorflow as tf

from tf_mwn.tensors import Tensor


def random_bits(shape: Sequence[int], seed: int, step: Tensor, purpose: str) -> Tensor:
    """Random int32 of `shape`, a function of (seed, step, purpose) alone.

    Training that resumes from a checkpoint therefore draws the same numbers. They are integers
    because TensorFlow's floating-point draws differ under XLA.

    Args:
        shape: of the result.
        seed: an integer.
        step: integer scalar.
        purpose: what is drawn; different purposes are independent.
    """
    stream = tf.constant(seed ^ (zlib.crc32(purpose.encode()) << 31), tf.int64)
    key = tf.stack([stream, tf.cast(step, tf.int64)])
    return tf.random.stateless_uniform(
        shape, seed=key, minval=None, maxval=None, dtype=tf.int32, alg="philox"
    )


def uniform(shape: Sequence[int], seed: int, step: Tensor, purpose: str) -> Tensor:
    """Uniform in [0, 1], float32 of `shape`; otherwise as `random_bits`."""
    return tf.cast(random_bits(shape, seed, step, purpose), tf.float32) / 2.0**32 + 0.5
