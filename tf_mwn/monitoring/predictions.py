"""Logits, losses and weights of whole data sets, computed without changing any state."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.data.streams.pipeline import evaluation_dataset
from tf_mwn.training.robust_model import RobustModel
from tf_mwn.training.whole_sets import logits_of


def classifier_logits(
    classifier: keras.Model,
    x: Any,
    labels: np.ndarray,
    batch_size: int = 500,
    preprocess: Callable[[tf.Tensor], tf.Tensor] | None = None,
) -> np.ndarray:
    """Logits [N, C] in float32, in evaluation mode.

    Args:
        classifier: built model.
        x: [N, ...] array or `ImageFiles`, or a tuple or dict of them.
        labels: [N] or [N, C], checked with the inputs.
        batch_size: examples per call.
        preprocess: function of a batch of inputs.

    Raises:
        TypeError, ValueError: the arrays cannot be used, or the outputs are not of shape [N, C].
    """
    logits, _, _ = logits_of(classifier, evaluation_dataset(x, labels, batch_size, preprocess))
    if logits.ndim != 2:
        raise ValueError(f"classifier: expected logits [N, C], received shape {logits.shape}")
    return logits


class Predictor:
    """Evaluates a model's classifier on arrays in memory, in evaluation mode.

    Args:
        model: the model whose classifier is evaluated.
        preprocess: function of a batch of inputs, as in training.
        batch_size: examples per call.

    Attributes:
        model: as given.
    """

    def __init__(
        self, model: RobustModel, preprocess: Callable[[tf.Tensor], tf.Tensor], batch_size=500
    ):
        self.model = model
        self._batch_size = batch_size
        self._logits = tf.function(
            lambda x: model.predicting_classifier(preprocess(x), training=False),
            reduce_retracing=True,
        )

    def logits(self, x: np.ndarray) -> np.ndarray:
        """Logits [N, C] in float32 of inputs `x` [N, ...]."""
        starts = range(0, len(x), self._batch_size)
        batches = ((tf.constant(x[i : i + self._batch_size]), None) for i in starts)
        return logits_of(self._logits, batches)[0]

    def losses_and_weights(
        self, logits: np.ndarray, labels: np.ndarray, sample_id: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """The losses [N] that the objective sees, and the weights [N] that it gives, or None.

        Methods that keep a history of each example need `sample_id` [N].
        """
        logits, labels = tf.constant(logits), tf.constant(labels)
        weights = self.model.sample_weight(labels, logits, sample_id)
        losses = self.model.training_loss(labels, logits)
        return losses.numpy(), None if weights is None else weights.numpy()
