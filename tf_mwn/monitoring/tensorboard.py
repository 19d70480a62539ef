"""The run in TensorBoard: scalars, weight histograms, and the weight curve as an image."""

import json
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.monitoring import figures
from tf_mwn.monitoring.callbacks import SCALAR_PREFIX, EpochEvaluation

# Tag of each key of the logs; keys not named here go under "train/".
_TAGS = {
    "meta_loss": "meta/loss",
    "meta_accuracy": "meta/accuracy",
    "validation_accuracy": "validation/accuracy",
    "test_accuracy": "test/accuracy",
    "learning_rate": "learning_rate/classifier",
    "meta_learning_rate": "learning_rate/meta",
    "mean_weight": "weights/mean_in_batches",
    "mean_weight_all": "weights/mean",
    "mean_weight_correct": "weights/mean_correct_labels",
    "mean_weight_wrong": "weights/mean_wrong_labels",
    "effective_fraction": "weights/effective_fraction",
    "noise_auc": "weights/noise_auc",
    "memorised": "train/memorised_wrong_labels",
}


def _tag(name: str) -> str:
    if name.startswith(SCALAR_PREFIX):
        return f"hyper_parameters/{name.removeprefix(SCALAR_PREFIX)}"
    return _TAGS.get(name, f"train/{name}")


class TensorBoardMonitor(keras.callbacks.Callback):
    """Writes each epoch's logs; nothing is written from within a step.

    Args:
        path: folder of the event files.
        evaluation: the callback that measured the weights, placed before this one.
        settings: the run's configuration, shown as text.
    """

    def __init__(self, path: Path, evaluation: EpochEvaluation, settings: dict):
        super().__init__()
        self._path, self._evaluation, self._settings = path, evaluation, settings
        self._writer = None

    def on_train_begin(self, logs=None):
        self._writer = tf.summary.create_file_writer(str(self._path))
        text = "```json\n" + json.dumps(self._settings, indent=2) + "\n```"
        with self._writer.as_default(step=0):
            tf.summary.text("configuration", text)

    def on_epoch_end(self, epoch, logs=None):
        with self._writer.as_default(step=epoch + 1):
            for name, value in logs.items():
                if value is not None:
                    tf.summary.scalar(_tag(name), value)
            if self._evaluation.weights is not None:
                self._write_weights()
            self._write_curve(epoch)
        self._writer.flush()

    def on_train_end(self, logs=None):
        self._writer.close()

    def _write_weights(self):
        weights, is_wrong = self._evaluation.weights, self._evaluation.is_wrong
        if is_wrong is None:
            tf.summary.histogram("weights/all", weights)
            return
        tf.summary.histogram("weights/correct_labels", weights[~is_wrong])
        tf.summary.histogram("weights/wrong_labels", weights[is_wrong])

    def _write_curve(self, epoch):
        curve = curve_of(self.model)
        if curve is not None:
            figure = figures.weight_curve(*curve, f"V(loss), epoch {epoch + 1}")
            image = tf.io.decode_png(figures.png(figure), channels=3)
            tf.summary.image("weights/curve", image[tf.newaxis])


def curve_of(model, largest_loss: float = 10.0) -> tuple[np.ndarray, np.ndarray] | None:
    """A grid of losses [N] and the weights [N] the model gives them; None if it has no curve."""
    losses = np.linspace(0.0, largest_loss, 201)
    weights = model.training_objective.curve(keras.ops.convert_to_tensor(losses))
    return None if weights is None else (losses, keras.ops.convert_to_numpy(weights))
