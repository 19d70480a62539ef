"""The clean examples of a meta batch as further rows of the training batch."""

from typing import Any

import tensorflow as tf

from tf_mwn.engine.objective import TrainingBatch
from tf_mwn.tensors import Element, Inputs, Labels, Logits, Tensor
from tf_mwn.training.logit_adjustment import LogitAdjustment

# The `sample_id` of a clean row, which is not in the training set.
_NO_ID = -1


def with_clean_rows(
    element: Element, labels: Labels
) -> tuple[Inputs, Labels, Tensor, Tensor | None]:
    """Joins the training batch and the meta batch of a training element into one batch.

    On several devices each joins its own shares of both.

    Args:
        element: the inputs of a training element, with a meta batch of M examples.
        labels: class numbers [B] or distributions [B, C].

    Returns:
        Inputs, labels, ids and weights of B + M rows. The training rows come first; the clean rows
        have the id -1 and the weight 1. The weights are None if the element has none.
    """
    clean = tf.cast(element["meta_labels"], labels.dtype)
    ids = tf.fill(tf.shape(clean)[:1], tf.constant(_NO_ID, element["sample_id"].dtype))
    given = [element["inputs"], labels, element["sample_id"]]
    added = [element["meta_inputs"], clean, ids]
    if "sample_weight" not in element:
        return *_joined(given, added), None
    weights = element["sample_weight"]
    return _joined([*given, weights], [*added, tf.ones_like(ids, weights.dtype)])


def _joined(given: list[Any], added: list[Any]) -> Any:
    return tf.nest.map_structure(lambda *pair: tf.concat(pair, axis=0), given, added)


def without_clean_rows(element: Element, values: Tensor) -> Tensor:
    """The first B of the B + M rows of `values`: those of the training batch of `element`."""
    return values[: tf.shape(element["sample_id"])[0]]


def with_plain_clean_rows(
    logits: Logits, batch: TrainingBatch, adjustment: LogitAdjustment | None
) -> Logits:
    """The adjusted `logits` [B + M, ..], with those of clean rows as the classifier gave them.

    The shares of the training set, which a logit adjustment undoes, are not those of clean rows.
    """
    if adjustment is None or batch.sample_id is None:
        return logits
    is_clean = tf.reshape(batch.sample_id < 0, [-1] + [1] * (len(logits.shape) - 1))
    return tf.where(is_clean, adjustment.undone(logits), logits)
