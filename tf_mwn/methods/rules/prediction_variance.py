"""Weights by the variance of an example's prediction during training."""

from typing import NamedTuple

import tensorflow as tf


class History(NamedTuple):
    """Running moments of the past values of each example; all tensors [N].

    Attributes:
        count: number of values.
        mean: their mean.
        squares: sum of their squared distances from the mean.
    """

    count: tf.Tensor
    mean: tf.Tensor
    squares: tf.Tensor

    def extended(self, values: tf.Tensor, seen: tf.Tensor) -> "History":
        """Adds one of `values` [N] wherever `seen` [N] is 1 (Welford's update)."""
        count = self.count + seen
        distance = (values - self.mean) * seen
        mean = self.mean + distance / tf.maximum(count, 1)
        return History(count, mean, self.squares + distance * (values - mean))


def prediction_variance(history: History, *, epsilon) -> tf.Tensor:
    """sqrt(Var + Var²/(n - 1)) + ε, where Var is the sample variance of n probabilities p_y.

    The first term is an upper estimate of the standard deviation. ε keeps every example in the
    training. The weight depends on the history and not on the loss, so it has no regulariser.

    Args:
        history: of the examples, any shape.
        epsilon: ε, above 0.

    Returns:
        Weights shaped like the history, to be divided by their mean over the batch. With fewer
        than two past values the weight is ε.

    References:
        Chang, Learned-Miller and McCallum, Active Bias: Training More Accurate Neural Networks by
        Emphasizing High Variance Samples, NeurIPS 2017 (SGD-WPV). https://arxiv.org/abs/1704.07433
    """
    degrees = tf.maximum(history.count - 1, 1)
    variance = tf.maximum(history.squares, 0) / degrees
    return tf.sqrt(variance + variance**2 / degrees) + epsilon
