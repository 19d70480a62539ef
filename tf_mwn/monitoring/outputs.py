"""What a classifier alone returns for a whole data set."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.data.streams.pipeline import evaluation_dataset


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
        TypeError, ValueError: arrays that cannot be evaluated on, or outputs of another shape.
    """
    parts = [
        tf.cast(classifier(batch, training=False), tf.float32).numpy()
        for batch, _ in evaluation_dataset(x, labels, batch_size, preprocess)
    ]
    logits = np.concatenate(parts)
    if logits.ndim != 2:
        raise ValueError(f"classifier: expected logits [N, C], received shape {logits.shape}")
    return logits
