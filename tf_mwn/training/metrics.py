"""Metrics of probabilities for models that put out logits."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

# Metrics that compare the outputs with thresholds between 0 and 1.
_OF_PROBABILITIES = (
    keras.metrics.AUC,
    keras.metrics.BinaryAccuracy,
    keras.metrics.FalseNegatives,
    keras.metrics.FalsePositives,
    keras.metrics.Precision,
    keras.metrics.PrecisionAtRecall,
    keras.metrics.Recall,
    keras.metrics.RecallAtPrecision,
    keras.metrics.SensitivityAtSpecificity,
    keras.metrics.SpecificityAtSensitivity,
    keras.metrics.TrueNegatives,
    keras.metrics.TruePositives,
)
_NAMES = {kind.__name__.lower() for kind in _OF_PROBABILITIES} | {"binary_accuracy"}


def metrics_on_logits(metrics: Any, classes: int | None) -> Any:
    """The metrics of `compile`, those of probabilities given probabilities.

    Args:
        metrics: as in Keras: names, metrics, functions, in lists or dicts; None for none.
        classes: number of logits; None if it is not known.
    """

    def on_logits(metric):
        name = metric.lower() if isinstance(metric, str) else None
        if classes == 1 and name in ("acc", "accuracy"):
            return OnProbabilities(keras.metrics.BinaryAccuracy(name=metric))
        if name in _NAMES:
            return OnProbabilities(_named(metric))
        if isinstance(metric, _OF_PROBABILITIES) and not _is_for_logits(metric):
            return OnProbabilities(metric)
        return metric

    return None if metrics is None else keras.tree.map_structure(on_logits, metrics)


def _is_for_logits(metric: keras.metrics.Metric) -> bool:
    """Whether its arguments say so: `from_logits=True`, or a threshold such as 0."""
    config = metric.get_config()
    thresholds = config.get("thresholds", config.get("threshold"))
    thresholds = np.ravel(0.5 if thresholds is None else thresholds)
    return bool(config.get("from_logits")) or not ((thresholds > 0) & (thresholds < 1)).all()


def _named(name: str) -> keras.metrics.Metric:
    if name.lower() == "binary_accuracy":
        return keras.metrics.BinaryAccuracy(name=name)
    kind = next(kind for kind in _OF_PROBABILITIES if kind.__name__.lower() == name.lower())
    return kind(name=name)


@keras.saving.register_keras_serializable(package="tf_mwn")
class OnProbabilities(keras.metrics.Metric):
    """A metric of probabilities, given logits.

    One logit stands for class 1. Of two logits, those of class 1 are taken. Of more, every class
    is one label: the metric is that of all labels together.

    Args:
        metric: a Keras metric of labels and probabilities [B, K].
    """

    def __init__(self, metric: keras.metrics.Metric, name: str | None = None, **kwargs):
        if not isinstance(metric, keras.metrics.Metric):
            metric = keras.saving.deserialize_keras_object(metric)
        super().__init__(name=name or metric.name, **kwargs)
        self.metric = metric

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Of class numbers [B], or labels like the logits [B, C]."""
        logits, labels = tf.convert_to_tensor(y_pred), tf.convert_to_tensor(y_true)
        classes = logits.shape[-1]
        if labels.shape.rank == 1:
            labels = labels[:, tf.newaxis]
            if classes > 1:
                labels = tf.one_hot(tf.cast(labels[:, 0], tf.int32), classes)
        chances = tf.sigmoid(logits) if classes == 1 else tf.nn.softmax(logits)
        config = self.metric.get_config()
        if classes == 2 and config.get("class_id") is None and config.get("top_k") is None:
            labels, chances = labels[:, 1:], chances[:, 1:]
        return self.metric.update_state(labels, chances, sample_weight)

    def result(self):
        return self.metric.result()

    def reset_state(self):
        self.metric.reset_state()

    def get_config(self):
        inner = keras.saving.serialize_keras_object(self.metric)
        return {**super().get_config(), "metric": inner}
