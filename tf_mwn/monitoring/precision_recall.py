"""Precision and recall over thresholds, for TensorBoard's PR curves plugin."""

import numpy as np
import tensorflow as tf

from tf_mwn.extras import extra

with extra("plots"):
    from tensorboard.plugins.pr_curve import summary

THRESHOLDS = 101


def counts(scores: np.ndarray, is_positive: np.ndarray) -> np.ndarray:
    """TP, FP, TN, FN, precision and recall [6, T] at T thresholds 0, 1/(T-1), ..., 1.

    An example is predicted positive if its score is at least the threshold. Precision is 1 if none
    is predicted positive; recall is 0 if none is positive.

    Args:
        scores: [N] in [0, 1].
        is_positive: [N] booleans.
    """
    bucket = np.floor(np.clip(scores, 0, 1) * (THRESHOLDS - 1)).astype(int)
    true, false = (
        np.bincount(bucket[part], minlength=THRESHOLDS)[::-1].cumsum()[::-1]
        for part in (is_positive, ~is_positive)
    )
    predicted, positives = true + false, true[0]
    precision = np.where(predicted > 0, true / np.maximum(predicted, 1), 1.0)
    recall = true / max(positives, 1)
    return np.stack([true, false, false[0] - false, positives - true, precision, recall])


def write(tag: str, scores: np.ndarray, is_positive: np.ndarray, step: int) -> None:
    """Writes a curve to the default summary writer; see `counts`."""
    record = summary.raw_data_pb(tag, *counts(scores, is_positive), num_thresholds=THRESHOLDS)
    tf.summary.experimental.write_raw_pb(record.SerializeToString(), step=step)
