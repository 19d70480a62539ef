"""Mixup: each example is blended with another one of its batch."""

import tensorflow as tf

from tf_mwn.checks import POSITIVE
from tf_mwn.engine.replicas import all_gather, all_reduce_sum
from tf_mwn.training.random_draws import random_bits

_QUANTILES = 4096


class Mixup:
    """λ and the partners of one step, as functions of (seed, step).

    λ is the larger of b and 1 - b for a draw b from Beta(a, a). Partners come from the global
    batch, so they do not depend on the number of devices.

    Args:
        a: above 0.
        seed: an integer.

    References:
        Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018,
        https://arxiv.org/abs/1710.09412. The larger of b and 1 - b is from Berthelot et al.,
        MixMatch, NeurIPS 2019, https://arxiv.org/abs/1905.02249.
    """

    def __init__(self, a: float, seed: int):
        from scipy.special import betaincinv  # imported late: slow

        a = POSITIVE.check("a", a)
        # A table of the upper half, because TensorFlow's Beta draws differ under XLA.
        middles = [0.5 + (k + 0.5) / (2 * _QUANTILES) for k in range(_QUANTILES)]
        self._shares = betaincinv(a, a, middles)
        self._seed = seed

    def share(self, step: tf.Tensor, dtype=tf.float32) -> tf.Tensor:
        """λ, a scalar in [½, 1]: the share of an example in its own blend."""
        bits = random_bits([], self._seed, step, "mixup share")
        return tf.gather(
            tf.constant(self._shares, dtype), tf.bitwise.bitwise_and(bits, _QUANTILES - 1)
        )

    def partners(self, step: tf.Tensor, values: list[tf.Tensor]) -> list[tf.Tensor]:
        """The partners' entries in each of `values`, [B, ...] of this replica."""
        sizes = all_gather(tf.shape(values[0])[:1])
        size = all_reduce_sum(tf.shape(values[0])[0])
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        start = tf.reduce_sum(sizes[:replica])
        order = tf.argsort(random_bits([size], self._seed, step, "mixup partners"))
        rows = order[start : start + tf.shape(values[0])[0]]
        return [tf.gather(all_gather(value), rows) for value in values]


def blend(share: tf.Tensor, own: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    """λ own + (1 - λ) other.

    Raises:
        ValueError: integers, which cannot be blended.
    """
    if not own.dtype.is_floating:
        raise ValueError(
            f"inputs: expected floating point numbers for mixup, received {own.dtype.name}; "
            "cmw_mixup=0 turns mixup off"
        )
    share = tf.cast(share, own.dtype)
    return share * own + (1 - share) * other
