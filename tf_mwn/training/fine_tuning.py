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
from tf_mwn.engine.optimizers import without_loss_scale
from tf_mwn.label_noise.calibration import fit_temperature
from tf_mwn.row_keys import row_keys
from tf_mwn.tensors import Batches, Logs
from tf_mwn.training.cross_entropy import CrossEntropy
from tf_mwn.training.elements import check_inputs
from tf_mwn.training.options import PASSES
from tf_mwn.training.robust_model import RobustModel
from tf_mwn.training.whole_sets import logits_of


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
    rng, rows = np.random.default_rng([seed, 0x4E1D]), list[np.ndarray]()
    for label in np.unique(labels):
        of_class = np.flatnonzero(labels == label)
        wanted = min(max(round(share * len(of_class)), 1 if share > 0 else 0), len(of_class) - 1)
        # Uniform keys and a stable sort: NumPy may change what `permutation` draws.
        rows.extend(of_class[np.argsort(rng.random(len(of_class)), kind="stable")][:wanted])
    return np.sort(np.asarray(rows, np.int64))


def strata(labels: np.ndarray) -> np.ndarray:
    """Class numbers [N] to hold examples back by; all 0 where the labels are no classes.

    Args:
        labels: of any task: [N], or [N, ..].
    """
    if labels.ndim == 1 and labels.dtype.kind != "f":
        return labels
    if labels.ndim == 2 and labels.shape[1] == 1 and labels.dtype.kind != "f":
        return labels[:, 0]
    if labels.ndim == 2 and (labels >= 0).all() and np.allclose(labels.sum(1), 1, atol=1e-3):
        return labels.argmax(axis=1)
    return np.zeros(len(labels), np.int64)


def cut_steps(steps_per_epoch: int, clean_examples: int, batch_size: int) -> int:
    """The steps of an epoch of the last phase: at most `PASSES` over the clean examples."""
    return min(steps_per_epoch, max(1, PASSES * clean_examples // batch_size))


def fine_tune(
    model: RobustModel,
    stream: tf.data.Dataset,
    clean_examples: int,
    batch_size: int,
    epochs: int,
    steps_per_epoch: int,
    rate: float,
    held_back: Batches | None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    first_epoch: int = 0,
    verbose: Any = "auto",
) -> FineTuned:
    """Trains the model's classifier by its plain loss on clean batches; nothing else changes.

    The optimizer is a new one like the model's, at a constant learning rate. The weights after the
    epoch of least loss on the examples held back are kept, or those of before if that is not better
    by one standard error; without such examples, those of the last epoch. An epoch is cut to
    `PASSES` over the clean examples, which are few.

    Args:
        model: compiled; its strategy, loss, metrics and precision are used.
        stream: endless training elements of clean examples.
        clean_examples: their number.
        batch_size: of the stream.
        epochs: at least 1.
        steps_per_epoch: at least 1, before it is cut.
        rate: the learning rate, as a multiple of the model's initial one.
        held_back: batches (inputs, labels), or None.
        callbacks: of `fit`, called when the weights of the epoch are settled.
        first_epoch: the number that the callbacks are told for the first epoch.
        verbose: as in `fit`.
    """
    steps_per_epoch = cut_steps(steps_per_epoch, clean_examples, batch_size)
    with model.distribute_strategy.scope():
        tuner = CrossEntropy(model.predicting_classifier)
        tuner.compile(
            _like(model.optimizer, rate * model.initial_learning_rate),
            model.loss_of_compile,
            jit_compile=model.jit_compile,
            fused_batch_norm=model.fused_batch_norm,
            **model.outputs_of_compile,
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
    return FineTuned(best.losses, best.kept, best.examples)


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
    verbose: Any = "auto",
) -> tuple[FineTuned, np.ndarray]:
    """See `RobustModel.fine_tune`; also returns the keys of the examples it trained on."""
    x, y = check_examples("x_meta", x, "y_meta", y)
    check_inputs(model.classifier, x)
    check_count("epochs", epochs)
    check_count("steps_per_epoch", steps_per_epoch)
    POSITIVE.check("rate", rate)
    rows = hold_back(strata(y), BELOW_ONE.check("held_back", share), check_count("seed", seed, 0))
    rest = np.setdiff1d(np.arange(len(y)), rows)

    def part(rows: np.ndarray) -> tuple[Any, np.ndarray]:
        return tf.nest.map_structure(lambda a: a[rows], (x, y))

    inputs, labels = part(rest)
    clean = Subset(inputs, labels, None, rest)
    size = min(100, len(rest)) if batch_size is None else batch_size
    held_back = tf.data.Dataset.from_tensor_slices(part(rows)).batch(500) if len(rows) else None
    stream = training_stream(clean, None, size, None, seed)
    done = fine_tune(
        model, stream, len(rest), size, epochs, steps_per_epoch, rate, held_back, verbose=verbose
    )
    return done, row_keys(inputs)


def _like(optimizer: keras.optimizers.Optimizer, rate: float) -> keras.optimizers.Optimizer:
    """A new optimizer of the same configuration at another learning rate."""
    inner = without_loss_scale(optimizer)
    config = {**inner.get_config(), "learning_rate": rate}
    return type(inner).from_config(config)


class _KeepBest(keras.callbacks.Callback):
    """Keeps the classifier's state after the epoch of least loss on the examples held back.

    If that epoch is not better than before by one standard error, it keeps the state of before.
    """

    def __init__(self, first_epoch: int, epochs: int, held_back: Batches | None) -> None:
        super().__init__()
        self._first, self._epochs, self._held_back = first_epoch, epochs, held_back
        self._states: dict[int, list[np.ndarray]] = {}
        self._each: list[np.ndarray] = []  # the losses [M] before and after each epoch
        self.kept = epochs

    @property
    def losses(self) -> tuple[float, ...]:
        """The mean loss before and after each epoch."""
        return tuple(float(losses.mean()) for losses in self._each)

    @property
    def examples(self) -> int:
        """M."""
        return len(self._each[0]) if self._each else 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        if self._held_back is not None:
            self._measure(0, self._held_back)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self._held_back is None:
            return
        done = epoch + 1 - self._first
        self._measure(done, self._held_back)
        if done == self._epochs:
            self.kept = self._choice()
            for variable, value in zip(self._state(), self._states[self.kept], strict=True):
                variable.assign(value)

    def _state(self) -> list[keras.Variable]:
        return self.model.classifier.variables

    def _measure(self, done: int, held_back: Batches) -> None:
        """Keeps the state of before and of the best epoch."""
        self._each.append(self._loss_of_each(held_back))
        if done == 0 or self.losses[-1] < min(self.losses[:-1]):
            before = {0: self._states[0]} if done else {}
            state = [variable.numpy() for variable in self._state()]
            self._states = before | {done: state}

    def _choice(self) -> int:
        best = max(self._states)
        gain = self._each[0] - self._each[best]
        error = gain.std(ddof=1) / np.sqrt(len(gain)) if len(gain) > 1 else np.inf
        return best if gain.mean() > error else 0

    def _loss_of_each(self, held_back: Batches) -> np.ndarray:
        """The loss of each example, at the temperature that suits the classifier best.

        A classifier that is only surer of itself than before has not become better.
        """
        logits, labels, _ = logits_of(self.model.classifier, held_back)
        has_classes = self.model.has_classes(labels, logits) and logits.shape[-1] > 1
        if np.isfinite(logits).all() and has_classes:
            temperature = fit_temperature(logits.astype(np.float64), strata(labels))
            logits = logits / np.float32(temperature)
        losses = self.model.per_example_loss(tf.constant(labels), tf.constant(logits)).numpy()
        return np.where(np.isfinite(losses), losses, np.finfo(np.float32).max / len(losses))
