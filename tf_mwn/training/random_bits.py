"""Random numbers of a step, for what a method draws while it trains."""

import zlib
from collections.abc import Sequence

import tensorflow as tf


def random_bits(shape: Sequence[int], seed: int, step: tf.Tensor, purpose: str) -> tf.Tensor:
    """Random int32 of `shape`, a function of (seed, step, purpose) alone.

    So a training that goes on from a checkpoint draws what it would have drawn. Integers, because
    TensorFlow's own floating-point draws are others under XLA.

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
