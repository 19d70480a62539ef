"""A last phase of training on clean examples, which keeps its best epoch."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.checks import BELOW_ONE, POSITIVE, check_count
from tf_mwn.data.streams.examples import check_examples
from tf_mwn.data.streams.pipeline import training_stream
from tf_mwn.data.subset import Subset
from tf_mwn.engine import keras_internals
from tf_mwn.engine.optimizers import without_loss_scale
from tf_mwn.training.cross_entropy import CrossEntropy
from tf_mwn.training.elements import check_inputs
from tf_mwn.training.robust_model import RobustModel
from tf_mwn.training.whole_sets import logits_of

Batches = tf.data.Dataset


@dataclasses.dataclass(frozen=True)
class FineTuned:
    """What a last phase did.

    Attributes:
        losses: the mean loss on the examples held back, before the phase and after each epoch;
            empty where none were.
        kept: the epochs after which the weights were kept; 0 for those before the phase.
        held_back: the number of examples held back.
    """

    losses: tuple[float, ...]
    kept: int
    held_back: int


def hold_back(labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    """The rows to hold back: the same share of every class, drawn by the seed.

    A class keeps at least one example. At least one example is held back of every class that has
    two, if `share` is above 0.

    Args:
        labels: class numbers [N].
        share: in [0, 1).
        seed: 0 or more.

    Returns:
        Row numbers in ascending order, int64 [M].
    """
    rng, rows = np.random.default_rng([seed, 0x4E1D]), []
    for label in np.unique(labels):
        of_class = np.flatnonzero(labels == label)
        wanted = min(max(round(share * len(of_class)), 1 if share > 0 else 0), len(of_class) - 1)
        # Uniform keys and a stable sort: NumPy may change what `permutation` draws.
        rows.extend(of_class[np.argsort(rng.random(len(of_class)), kind="stable")][:wanted])
    return np.sort(np.asarray(rows, np.int64))


def fine_tune(
    model: RobustModel,
    stream: Batches,
    epochs: int,
    steps_per_epoch: int,
    rate: float,
    held_back: Batches | None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    first_epoch: int = 0,
    verbose="auto",
) -> FineTuned:
    """Trains the model's classifier by its plain loss on clean batches; nothing else changes.

    The optimizer is a new one like the model's, at a constant learning rate. The weights after the
    epoch of least loss on the examples held back are kept, or those of before if no epoch was
    better; without such examples, those of the last epoch.

    Args:
        model: compiled; its strategy, loss, metrics and precision are used.
        stream: endless training elements of clean examples.
        epochs: at least 1.
        steps_per_epoch: at least 1.
        rate: the learning rate, as a multiple of the model's initial one.
        held_back: batches (inputs, labels), or None.
        callbacks: of `fit`, called when the weights of the epoch are settled.
        first_epoch: the number that the callbacks are told for the first epoch.
        verbose: as in `fit`.
    """
    with model.distribute_strategy.scope():
        tuner = CrossEntropy(model.predicting_classifier)
        tuner.compile(
            _like(model.optimizer, rate),
            model.loss_of_compile,
            jit_compile=model.jit_compile,
            fused_batch_norm=model.fused_batch_norm,
        )
        best = _KeepBest(first_epoch, epochs, held_back)
    tuner.fit(
        stream,
        epochs=first_epoch + epochs,
        initial_epoch=first_epoch,
        steps_per_epoch=steps_per_epoch,
        callbacks=[best, *callbacks],
        verbose=verbose,
        shuffle=False,
    )
    return FineTuned(tuple(best.losses), best.kept, best.examples)


def fine_tune_on_arrays(
    model: RobustModel,
    x: Any,
    y: Any,
    epochs: int,
    steps_per_epoch: int,
    batch_size: int | None,
    rate: float,
    share: float,
    seed: int,
    verbose="auto",
) -> FineTuned:
    """See `RobustModel.fine_tune`."""
    x, y = check_examples("x_meta", x, "y_meta", y)
    check_inputs(model.classifier, x)
    check_count("epochs", epochs)
    check_count("steps_per_epoch", steps_per_epoch)
    POSITIVE.check("rate", rate)
    classes = y if y.ndim == 1 else y.argmax(axis=1)
    rows = hold_back(classes, BELOW_ONE.check("held_back", share), check_count("seed", seed, 0))
    rest = np.setdiff1d(np.arange(len(y)), rows)

    def part(rows):
        return tf.nest.map_structure(lambda a: a[rows], (x, y))

    clean = Subset(*part(rest), None, rest)
    size = min(100, len(rest)) if batch_size is None else batch_size
    held_back = tf.data.Dataset.from_tensor_slices(part(rows)).batch(500) if len(rows) else None
    stream = training_stream(clean, None, size, None, seed)
    return fine_tune(model, stream, epochs, steps_per_epoch, rate, held_back, verbose=verbose)


def _like(optimizer: keras.optimizers.Optimizer, rate: float) -> keras.optimizers.Optimizer:
    """A new optimizer of the same configuration at `rate` times the initial learning rate."""
    inner = without_loss_scale(optimizer)
    first = keras_internals.rate_or_schedule(inner)
    if isinstance(first, keras.optimizers.schedules.LearningRateSchedule):
        first = first(0)
    initial = float(keras.ops.convert_to_numpy(first))
    config = {**inner.get_config(), "learning_rate": rate * initial}
    return type(inner).from_config(config)


class _KeepBest(keras.callbacks.Callback):
    """Keeps the classifier's state after the epoch of least loss on the examples held back."""

    def __init__(self, first_epoch: int, epochs: int, held_back: Batches | None):
        super().__init__()
        self._first, self._epochs, self._held_back = first_epoch, epochs, held_back
        self._best: list[np.ndarray] = []
        self.losses: list[float] = []
        self.kept, self.examples = epochs, 0

    def on_train_begin(self, logs=None):
        if self._held_back is not None:
            self.losses.append(self._loss())
            self._keep(0)

    def on_epoch_end(self, epoch, logs=None):
        if self._held_back is None:
            return
        self.losses.append(self._loss())
        done = epoch + 1 - self._first
        if self.losses[-1] < min(self.losses[:-1]):
            self._keep(done)
        if done == self._epochs and self.kept < done:
            for variable, value in zip(self._state(), self._best, strict=True):
                variable.assign(value)

    def _state(self) -> list[keras.Variable]:
        return self.model.classifier.variables

    def _keep(self, epochs: int) -> None:
        self.kept = epochs
        self._best = [keras.ops.convert_to_numpy(variable) for variable in self._state()]

    def _loss(self) -> float:
        logits, labels, _ = logits_of(self.model.classifier, self._held_back)
        losses = self.model.per_example_loss(tf.constant(labels), tf.constant(logits))
        self.examples = len(labels)
        value = float(tf.reduce_mean(losses))
        return value if np.isfinite(value) else np.inf
