"""Callbacks that measure each epoch of a run and add the measures to its logs."""

import math
import time

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.data.splits.biased_data import BiasedData
from tf_mwn.data.subset import Subset
from tf_mwn.files import SCALAR_PREFIX, scalars
from tf_mwn.label_noise.measures import memorised, weight_change, weight_measures
from tf_mwn.monitoring.classification import accuracy, balanced_accuracy
from tf_mwn.monitoring.health import Checkup, HealthWarning, examine
from tf_mwn.monitoring.predictions import Predictor

# Begins the name of the test accuracy by another reading of the logits; its name follows.
READING_PREFIX = "test_accuracy_"


class NonFiniteLossError(RuntimeError):
    """A loss is no longer finite. The last checkpoint is from before."""


class StopOnNonFiniteLoss(keras.callbacks.Callback):
    """Raises `NonFiniteLossError` at the first step whose loss or meta loss is not finite.

    Args:
        method: its name in the message.
        start_step: the steps of the first epoch that were taken before this process.
    """

    def __init__(self, method: str, start_step: int = 0):
        super().__init__()
        self._method, self._start_step = method, start_step
        self._epoch = 0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        for name in ("loss", "meta_loss"):
            value = (logs or {}).get(name, 0.0)
            if not math.isfinite(value):
                raise NonFiniteLossError(
                    f"{self._method}: {name} became {value} in epoch {self._epoch + 1}, "
                    f"step {self._start_step + batch + 1}; a smaller learning rate may help"
                )

    def on_epoch_end(self, epoch, logs=None):
        self._start_step = 0


class StepTimer(keras.callbacks.Callback):
    """Adds `seconds_per_step`, the median. So the tracing of the first step does not count."""

    def __init__(self):
        super().__init__()
        self._seconds: list[float] = []
        self._start = 0.0

    def on_epoch_begin(self, epoch, logs=None):
        self._seconds = []

    def on_train_batch_begin(self, batch, logs=None):
        self._start = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self._seconds.append(time.perf_counter() - self._start)

    def on_epoch_end(self, epoch, logs=None):
        logs["seconds_per_step"] = float(np.median(self._seconds))


class EpochEvaluation(keras.callbacks.Callback):
    """Adds accuracies, measures of the weights, memorisation and the objective's scalars.

    Weights and memorisation are measured on the same part of the training set in every epoch. It
    warns once of unhealthy weights; see `health`.

    Args:
        data: the data of the run.
        predictor: evaluates the classifier.
        unseen: clean examples that the classifier is never trained on, in which errors are planted;
            None if there are none.
        seed: of the planted errors.
        monitored: largest number of training examples, and of clean ones, to measure.

    Attributes:
        sample: the measured part of the training set, N examples.
        weights: their weights [N] after the last epoch, or None if the method gives none.
        is_wrong: [N] booleans, or None if clean labels are not known.
        test_labels: [M] labels of the test set.
        test_logits: [M, C] logits of the test set after the last epoch; None before the first.
    """

    def __init__(
        self,
        data: BiasedData,
        predictor: Predictor,
        unseen: Subset | None = None,
        seed: int = 0,
        monitored: int = 2000,
    ):
        super().__init__()
        self._data, self._predictor, self._seed = data, predictor, seed
        self._unseen = None if unseen is None else _spread(unseen, monitored)
        self.sample = _spread(data.train, monitored)
        self.weights = None
        self.is_wrong = wrong_labels(self.sample)
        self.test_labels, self.test_logits = data.test.label, None
        self._warn = HealthWarning()

    def on_train_begin(self, logs=None):
        """Measures the weights before the first epoch of this process."""
        self.weights = self._weights(self._predictor.logits(self.sample.x))

    def on_epoch_end(self, epoch, logs=None):
        data = self._data
        parts = {"test": data.test, "validation": data.validation, "meta": data.meta}
        for name, part in parts.items():
            if part is not None and len(part):
                logits = self._predictor.logits(part.x)
                logs[f"{name}_accuracy"] = accuracy(logits, part.label)
                if name == "test":
                    self.test_logits = logits
                    logs["test_balanced_accuracy"] = balanced_accuracy(logits, part.label)
                    readings = self._predictor.model.other_readings(logits)
                    for reading, other in readings.items():
                        logs[READING_PREFIX + reading] = accuracy(other, part.label)
        logits = self._predictor.logits(self.sample.x)
        before, self.weights = self.weights, self._weights(logits)
        if self.is_wrong is not None:
            logs["memorised"] = memorised(logits.argmax(axis=1), self.sample.label, self.is_wrong)
        if self.weights is not None:
            logs.update(weight_measures(self.weights, self.is_wrong))
            if before is not None:
                logs["weight_change"] = weight_change(before, self.weights)
        found = self.examine(logits)
        logs.update(found.logs())
        self._warn(self._predictor.model, epoch, found)
        for name, value in self._predictor.model.training_objective.scalars().items():
            logs[SCALAR_PREFIX + name] = _number(value)
        logs["learning_rate"] = _learning_rate(self.model.optimizer)
        meta_optimizer = getattr(self.model, "meta_optimizer", None)
        if meta_optimizer is not None:
            logs["meta_learning_rate"] = _learning_rate(meta_optimizer)

    def _weights(self, logits: np.ndarray) -> np.ndarray | None:
        part = self.sample
        return self._predictor.losses_and_weights(logits, part.label, part.sample_id)[1]

    def examine(self, logits: np.ndarray | None = None) -> Checkup:
        """The health of the weights now; `logits` are those of `sample` if they are known."""
        part, unseen = self.sample, self._unseen
        if logits is None:
            logits = self._predictor.logits(part.x)
            self.weights = self._weights(logits)
        if self.weights is None:
            return Checkup()
        clean = None if unseen is None else (self._predictor.logits(unseen.x), unseen.label)
        train = logits, part.label
        names = self._data.card.get("class_names")
        return examine(self._predictor.model, clean, train, self.weights, self._seed, names)


def _learning_rate(optimizer: keras.optimizers.Optimizer) -> float:
    return _number(optimizer.learning_rate)


def _number(value) -> float:
    # Converted to a tensor first: under a strategy it may be a mirrored variable.
    return float(tf.convert_to_tensor(value))


def trajectories_of(history: list[dict]) -> dict[str, list[float]]:
    """The objective's scalars over the epochs of a history, by name."""
    return {name: [scalars(record)[name] for record in history] for name in scalars(history[-1])}


def wrong_labels(part: Subset) -> np.ndarray | None:
    """[N] booleans, True if a label is not the clean one; None if clean labels are unknown."""
    return None if part.clean_label is None else part.label != part.clean_label


def _spread(part: Subset, size: int) -> Subset:
    """`part`, or `size` examples spread evenly over it if it has more."""
    if len(part) <= size:
        return part
    return part.rows(np.linspace(0, len(part) - 1, size).astype(int))
