"""Writes a run for TensorBoard: scalars and histograms every epoch, images in some."""

import json
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.files import SCALAR_PREFIX
from tf_mwn.label_noise.measures import mean_weight_by_class
from tf_mwn.monitoring import figures, precision_recall
from tf_mwn.monitoring.callbacks import EpochEvaluation
from tf_mwn.monitoring.classification import confusion_matrix
from tf_mwn.monitoring.event_files import events

# The tag of each key of the logs. Other keys have the prefix "train/".
_TAGS = {
    "meta_loss": "meta/loss",
    "meta_accuracy": "meta/accuracy",
    "validation_accuracy": "validation/accuracy",
    "test_accuracy": "test/accuracy",
    "test_balanced_accuracy": "test/balanced_accuracy",
    "learning_rate": "learning_rate/classifier",
    "meta_learning_rate": "learning_rate/meta",
    "mean_weight": "weights/mean_in_batches",
    "mean_weight_all": "weights/mean",
    "mean_weight_correct": "weights/mean_correct_labels",
    "mean_weight_wrong": "weights/mean_wrong_labels",
    "effective_fraction": "weights/effective_fraction",
    "weight_spread": "weights/spread",
    "planted_auc": "weights/planted_auc",
    "planted_auc_error": "weights/planted_auc_error",
    "weight_change": "weights/change_since_last_epoch",
    "noise_auc": "weights/noise_auc",
    "memorised": "train/memorised_wrong_labels",
}
# TensorBoard shows at most this many images of a tag.
_IMAGES = 10
# Largest number of classes with a scalar and a curve for each class.
_CLASSES = 20


def _tag(name: str) -> str:
    if name.startswith(SCALAR_PREFIX):
        return f"hyper_parameters/{name.removeprefix(SCALAR_PREFIX)}"
    return _TAGS.get(name, f"train/{name}")


class TensorBoardMonitor(keras.callbacks.Callback):
    """Writes the logs of each epoch. It writes nothing within a step and evaluates no network.

    Args:
        path: folder of the event files. Its path below the log folder of TensorBoard names the run.
        evaluation: the callback that measures weights and test set, placed before this one.
        settings: the configuration of the run, shown as text.
        epochs: number of all epochs. Images are drawn in about ten of them and in the last.
        class_names: names of the C classes.
    """

    def __init__(
        self,
        path: Path,
        evaluation: EpochEvaluation,
        settings: dict,
        epochs: int,
        class_names: Sequence[str],
    ):
        super().__init__()
        self._path, self._evaluation, self._settings = path, evaluation, settings
        self._epochs, self._every = epochs, -(-epochs // _IMAGES)
        self._names = [str(name) for name in class_names]
        self._writer = None

    def on_train_begin(self, logs=None):
        text = "```json\n" + json.dumps(self._settings, indent=2) + "\n```"
        with events(self._path):
            self._writer = tf.summary.create_file_writer(str(self._path))
            with self._writer.as_default(step=0):
                tf.summary.text("configuration", text)

    def on_epoch_end(self, epoch, logs=None):
        done = epoch + 1
        draws = done % self._every == 0 or done == self._epochs
        with events(self._path), self._writer.as_default(step=done):
            for name, value in logs.items():
                if value is not None:
                    tf.summary.scalar(_tag(name), value)
            if self._evaluation.weights is not None:
                self._write_weights(done, draws)
            if draws:
                self._write_curve(done)
                self._write_test_set(done)
            self._writer.flush()

    def on_train_end(self, logs=None):
        with events(self._path):
            self._writer.close()

    def _write_weights(self, epoch: int, draws: bool):
        weights, is_wrong = self._evaluation.weights, self._evaluation.is_wrong
        tf.summary.histogram("weights/all", weights)
        if is_wrong is not None:
            tf.summary.histogram("weights/correct_labels", weights[~is_wrong])
            tf.summary.histogram("weights/wrong_labels", weights[is_wrong])
        means = mean_weight_by_class(weights, self._evaluation.sample.label, len(self._names))
        if len(self._names) <= _CLASSES:
            for name, mean in zip(self._names, means, strict=True):
                if np.isfinite(mean):
                    tf.summary.scalar(f"mean_weight_of_class/{name}", mean)
        if draws:
            title = f"weights by class, epoch {epoch}"
            _write_image("weights/by_class", figures.class_weights(means, self._names, title))

    def _write_curve(self, epoch: int):
        curve = curve_of(self.model)
        if curve is not None:
            _write_image("weights/curve", figures.weight_curve(*curve, f"V(loss), epoch {epoch}"))

    def _write_test_set(self, epoch: int):
        """Writes the confusion matrix, and precision and recall of each class against the rest."""
        logits, labels = self._evaluation.test_logits, self._evaluation.test_labels
        matrix = confusion_matrix(labels, logits.argmax(axis=1), len(self._names))
        title = f"test set, epoch {epoch}: % of each class"
        _write_image("test/confusion", figures.confusion(matrix, self._names, title))
        probabilities = tf.nn.softmax(logits).numpy()
        is_class = labels[:, np.newaxis] == np.arange(len(self._names))
        precision_recall.write("test/all", probabilities.ravel(), is_class.ravel(), epoch)
        if len(self._names) <= _CLASSES:
            for c, name in enumerate(self._names):
                scores = probabilities[:, c]
                precision_recall.write(f"test/{name}", scores, is_class[:, c], epoch)


def _write_image(tag: str, figure) -> None:
    image = tf.io.decode_png(figures.png(figure), channels=3)
    tf.summary.image(tag, image[tf.newaxis])


def curve_of(model, largest_loss: float = 10.0) -> tuple[np.ndarray, np.ndarray] | None:
    """A grid of losses [N] and the model's weights [N] for them; None if it has no such curve."""
    losses = np.linspace(0.0, largest_loss, 201)
    weights = model.training_objective.curve(keras.ops.convert_to_tensor(losses))
    return None if weights is None else (losses, keras.ops.convert_to_numpy(weights))
