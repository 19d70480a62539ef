"""Trying a loss on a few examples, to find out what it needs and what it gives."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.tensors import Labels, Logits

Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def is_per_example(loss: Loss, labels: Labels, logits: Logits) -> bool:
    """Whether `loss` gives one value for each example, which depends on that example alone.

    Args:
        loss: (labels, logits) -> [B]. One that draws random numbers need not repeat its values.
        labels: [3] or [3, ..].
        logits: [3, C].
    """
    try:
        whole = np.asarray(loss(labels, logits))
        if whole.shape != (3,):
            return False
        draws = not same(whole, loss(labels, logits))
        for rows in ([0], [1], [2], [0, 1], [1, 2]):
            part = np.asarray(loss(tf.gather(labels, rows), tf.gather(logits, rows)))
            if part.shape != (len(rows),) or not (draws or same(part, whole[rows])):
                return False
    except (ValueError, TypeError, tf.errors.OpError):
        return False
    return True


def is_mean_of_columns(loss: Loss, label: tf.DType) -> bool:
    """Whether the loss of labels and logits [B, K] is the mean of K losses of one column each.

    Args:
        loss: (labels [B, K], logits [B, K]) -> [B], or for one column ([B], [B, 1]) -> [B].
        label: type of the labels.
    """
    labels = tf.constant([[0, 1], [1, 1], [1, 0]], label)
    logits = tf.constant([[0.3, 1.7], [-1.2, 0.4], [2.1, -0.6]], keras.config.floatx())
    try:
        whole = np.asarray(loss(labels, logits))
        columns = [np.asarray(loss(labels[:, k], logits[:, k : k + 1])) for k in (0, 1)]
    except (ValueError, TypeError, tf.errors.OpError):
        return False
    return whole.shape == (3,) and same(whole, np.mean(columns, axis=0))


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two arrays of losses are equal up to rounding."""
    return np.allclose(one, other, rtol=1e-3, atol=1e-4, equal_nan=True)
