"""Logits and per-example losses of whole data sets, without touching any state."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tf_mwn.training.robust_model import RobustModel


class Predictor:
    """Evaluates a model's classifier on arrays in memory, in evaluation mode.

    Args:
        model: the model whose classifier is asked.
        preprocess: function of a batch of inputs, as in training.
        batch_size: examples per call.
    """

    def __init__(
        self, model: RobustModel, preprocess: Callable[[tf.Tensor], tf.Tensor], batch_size=500
    ):
        self._model = model
        self._batch_size = batch_size
        self._logits = tf.function(
            lambda x: model.classifier(preprocess(x), training=False), reduce_retracing=True
        )

    def logits(self, x: np.ndarray) -> np.ndarray:
        """Logits [N, C] in float32 of inputs `x` [N, ...]."""
        steps = range(0, len(x), self._batch_size)
        parts = [self._logits(tf.constant(x[i : i + self._batch_size])) for i in steps]
        return np.concatenate([tf.cast(part, tf.float32).numpy() for part in parts])

    def losses_and_weights(
        self, logits: np.ndarray, labels: np.ndarray, sample_id: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """The loss [N] of each example and, if the method gives any, its weight [N].

        Methods that keep a history of each example need `sample_id` [N].
        """
        logits, labels = tf.constant(logits), tf.constant(labels)
        weights = self._model.sample_weight(labels, logits, sample_id)
        losses = self._model.per_example_loss(labels, logits)
        return losses.numpy(), None if weights is None else weights.numpy()


def accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Fraction of examples whose largest logit is their label."""
    return float((logits.argmax(axis=1) == labels).mean())
