"""Metrics that are built before the first step, those of probabilities for models of logits too."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.losses.per_example import OutputLoss
from tf_mwn.tensors import Labels, Logits, Tensor

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


def metrics_on_logits(metrics: Any, classes: int | None, loss: OutputLoss | None = None) -> Any:
    """The metrics of `compile`, those of probabilities given probabilities.

    Args:
        metrics: as in Keras: names, metrics, functions, in lists or dicts; None for none.
        classes: number of logits; None if it is not known.
        loss: of `per_example_loss`. Each column of labels [B, K] may be a label by itself.
    """
    if metrics is None:
        return None
    has_columns = loss is not None and loss.has_columns

    def on_logits(metric: Any) -> Any:
        name = metric.lower() if isinstance(metric, str) else None
        if (classes == 1 or has_columns) and name in ("acc", "accuracy"):
            return OnProbabilities(keras.metrics.BinaryAccuracy(name=metric), has_columns)
        if name in _NAMES:
            return OnProbabilities(_named(metric), has_columns)
        if isinstance(metric, _OF_PROBABILITIES) and not _is_for_logits(metric):
            return OnProbabilities(metric, has_columns)
        return metric

    return keras.tree.map_structure(on_logits, metrics)


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
        has_columns: whether each logit of labels [B, K] stands for a label of its own, which does
            not exclude the others: a sigmoid in place of the softmax.
    """

    def __init__(
        self,
        metric: keras.metrics.Metric,
        has_columns: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(metric, keras.metrics.Metric):
            metric = keras.saving.deserialize_keras_object(metric)
        super().__init__(name=name or metric.name, **kwargs)
        self.metric, self.has_columns = metric, has_columns

    def update_state(
        self, y_true: Labels, y_pred: Logits, sample_weight: Tensor | None = None
    ) -> Any:
        """Of class numbers [B], or labels like the logits [B, C]."""
        logits, labels = tf.convert_to_tensor(y_pred), tf.convert_to_tensor(y_true)
        if logits.shape.rank == 1:
            logits = logits[:, tf.newaxis]
        classes = logits.shape[-1]
        if self.has_columns and labels.shape.rank == logits.shape.rank:
            return self.metric.update_state(labels, tf.sigmoid(logits), sample_weight)
        if labels.shape.rank == 2 and labels.shape[-1] == 1 and classes > 1:
            labels = labels[:, 0]
        if labels.shape.rank == 1:
            labels = labels[:, tf.newaxis]
            if classes > 1:
                labels = tf.one_hot(tf.cast(labels[:, 0], tf.int32), classes)
        chances = tf.sigmoid(logits) if classes == 1 else tf.nn.softmax(logits)
        config = self.metric.get_config()
        if classes == 2 and config.get("class_id") is None and config.get("top_k") is None:
            labels, chances = labels[:, 1:], chances[:, 1:]
        return self.metric.update_state(labels, chances, sample_weight)

    def result(self) -> Any:
        return self.metric.result()

    def reset_state(self) -> None:
        self.metric.reset_state()

    def get_config(self) -> dict[str, Any]:
        inner = keras.saving.serialize_keras_object(self.metric)
        columns = {"has_columns": True} if self.has_columns else {}
        return {**super().get_config(), "metric": inner, **columns}


def build_metrics(model: keras.Model, dataset: tf.data.Dataset) -> None:
    """Builds the compiled metrics of a `RobustModel`, which Keras would build at the first batch.

    Built inside the step, they would make Keras trace it twice, and fail on many devices.

    Args:
        model: compiled.
        dataset: of elements (inputs, labels) or (inputs, labels, weights).
    """
    spec = dataset.element_spec
    waiting = [metric for metric in model.metrics if not getattr(metric, "built", True)]
    if not waiting or not isinstance(spec, tuple) or len(spec) < 2:
        return
    example = spec[:2]
    if any(part.shape.rank is None for part in tf.nest.flatten(example)):
        example = next(iter(dataset.take(1)))[:2]  # shapes are unknown
    inputs, labels = tf.nest.map_structure(_one_of, example)
    outputs = getattr(model.classifier, "outputs", None)
    logits = _one_of(outputs[0]) if outputs else model(inputs, training=False)
    if logits.shape.rank > 2:  # at one position, as their number may be open
        first = (slice(1),) * (logits.shape.rank - 1)
        labels, logits = labels[first], logits[first]
    with model.distribute_strategy.scope():
        for metric in waiting:
            metric.build(*model.of_metrics(labels, logits)[:2])


def _one_of(spec: tf.TensorSpec) -> Tensor:
    """Zeros like a batch of one; an axis of unknown length has one entry too."""
    return tf.zeros([1, *(size or 1 for size in spec.shape[1:])], spec.dtype)
