"""How a model is driven: `fit`, `evaluate`, and single batches, as in Keras."""

import dataclasses
import types
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.data.streams.class_weight import ClassWeight
from tf_mwn.data.streams.pairing import Pairing, pairing_of
from tf_mwn.engine import keras_internals
from tf_mwn.row_keys import row_keys
from tf_mwn.tensors import Logs
from tf_mwn.training import distributed_loop
from tf_mwn.training.checks.batches import mistakes_in_batches
from tf_mwn.training.classifiers import num_classes
from tf_mwn.training.elements import check_takes_weights, checked_data
from tf_mwn.training.given_data import Given
from tf_mwn.training.metrics import build_metrics
from tf_mwn.training.options import FINE_TUNED_EPOCHS, FINE_TUNING_RATE, HELD_BACK
from tf_mwn.training.whole_sets import WholeSets

if TYPE_CHECKING:
    from tf_mwn.training.fine_tuning import FineTuned

_WHOLE = 500  # examples in a batch of the whole sets
_UNSHUFFLED = (tf.data.Dataset, types.GeneratorType)  # Keras warns if these should be shuffled


class Loops(keras.Model):
    """The part of `RobustModel` that Keras' users call; the steps are the other part."""

    whole_sets: WholeSets | None
    train_function: Any  # of an iterator; see `make_train_function`
    test_function: Any
    _made: Callable[[], WholeSets | None]
    _tuned_on: np.ndarray

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int = 1,
        *,
        x_meta: Any = None,
        y_meta: Any = None,
        meta_batch_size: int | None = None,
    ) -> keras.callbacks.History:
        """As in Keras; a method with phases needs `num_epochs` epochs.

        `x` is arrays with the labels `y`, or a stream of training elements: the data set that
        `tf_mwn.paired_dataset` returns, another `tf.data.Dataset`, a generator or a
        `keras.utils.PyDataset`. Arrays become what `paired_dataset` makes of them; the last batch
        of an epoch is kept if it is not full. Every batch of a stream is checked.

        Args:
            x: inputs: a NumPy array, a tensor, a pandas frame, or a tuple or dict of them, with N
                rows; or a stream.
            y: labels, [N] integers or [N, C] one-hot floats; None with a stream.
            batch_size: of arrays; 32 by default.
            epochs, verbose, callbacks: as in Keras.
            validation_split: the share of the arrays, from their end and before they are shuffled,
                that is only evaluated. The meta set is not split.
            validation_data: as in Keras; goes before `validation_split`.
            shuffle: whether arrays get a new order in each epoch. The orders follow from
                TensorFlow's global seed and the number of steps that were taken before.
            class_weight: dict from class numbers to weights of at least 0. It means the same as
                the `sample_weight` of each label's weight, and multiplies any that is given.
            sample_weight: s, [N] of at least 0: how much each example counts. A stream has it as
                the third part of its elements. The training objective has s v l in place of v l,
                and Σ s v in place of Σ v. The weight v that a method gives an example is a
                function of the loss l without s, and the meta loss has no s.
            initial_epoch, steps_per_epoch, validation_steps, validation_batch_size: as in Keras.
            validation_freq: as in Keras.
            x_meta: clean inputs in the forms of `x`, for a method that needs them.
            y_meta: their labels.
            meta_batch_size: see `paired_dataset`.

        Raises:
            TypeError: data of another kind.
            ValueError: the method needs a meta set or `whole_sets` and has none, or takes no
                weights; an argument that has no meaning with a stream; data that do not fit the
                classifier or the loss; or the classifier's trainable variables have changed since
                `compile`.
        """
        split = validation_split if validation_data is None else 0.0
        arrays = Given(x, y, sample_weight, x_meta, y_meta, meta_batch_size, split)
        options = {
            "batch_size": batch_size,
            "epochs": epochs,
            "verbose": verbose,
            "callbacks": callbacks,
            "initial_epoch": initial_epoch,
            "steps_per_epoch": steps_per_epoch,
            "validation_steps": validation_steps,
            "validation_batch_size": validation_batch_size or batch_size,
            "validation_freq": validation_freq,
        }
        with mistakes_in_batches():
            x, held_out = arrays.as_elements(self, batch_size, shuffle)
            options["validation_data"] = held_out if validation_data is None else validation_data
            options["shuffle"] = shuffle and not isinstance(x, _UNSHUFFLED)
            weigh, pairing = self._weighing(class_weight), pairing_of(x)
            if pairing is not None and weigh is not None:
                pairing = dataclasses.replace(pairing, class_weight=weigh.table)
            x = self.checked(self.prepared(x, pairing), weigh)
            if pairing is not None and steps_per_epoch is not None:
                x = x.repeat()
            history = self._fit(x, **options)
        self.finish(pairing, verbose)
        return history

    def _weighing(self, class_weight: Mapping[int, float] | None) -> ClassWeight | None:
        if class_weight is None:
            return None
        check_takes_weights(self, "class_weight")
        classes = num_classes(self.classifier)
        return ClassWeight(class_weight, None if classes is None else max(classes, 2))

    def prepared(self, data: Any, pairing: Pairing | None) -> Any:
        """Called by `fit` with its data, and with what they were made of by `paired_dataset`.

        By default it makes the whole sets of them, where the method needs these.

        Returns:
            The data to train on.
        """
        sets = self.whole_sets
        if self.needs_whole_sets and pairing is not None and (sets is None or sets is self._made()):
            made = WholeSets(*pairing.whole(_WHOLE))
            self.whole_sets, self._made = made, lambda: made
        return data

    def finish(self, pairing: Pairing | None, verbose: Any) -> None:
        """Called when `fit` has trained. Default: nothing."""

    def checked(self, data: Any, weigh: ClassWeight | None = None) -> Any:
        """Training data, one element or many, with a check of every batch in them.

        Args:
            data: see `checked_data`.
            weigh: the weights of classes, or None.

        Raises:
            ValueError: see `fit`.
        """
        if self.needs_whole_sets and self.whole_sets is None:
            raise ValueError(
                "whole_sets: expected arrays, the data set of tf_mwn.paired_dataset as it is, or "
                "model.whole_sets = tf_mwn.WholeSets.from_arrays(x, y, x_meta, y_meta), which "
                f"{type(self).__name__} reads between epochs, received none"
            )
        self.check_variables()
        return checked_data(data, self, weigh)

    def _fit(self, data: Any, **options: Any) -> keras.callbacks.History:
        callbacks = options["callbacks"]
        if isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks = callbacks.callbacks
        options["callbacks"] = [_EpochHooks(), callbacks or []]  # Keras flattens lists
        if distributed_loop.is_needed(self.distribute_strategy):
            return distributed_loop.fit(self, data, **options)
        if isinstance(data, tf.data.Dataset):
            build_metrics(self, data)
        parts = data if isinstance(data, tuple) else (data,)
        return super().fit(**dict(zip(("x", "y", "sample_weight"), parts, strict=False)), **options)

    def fine_tune(
        self,
        x_meta: Any,
        y_meta: Any,
        epochs: int = FINE_TUNED_EPOCHS,
        steps_per_epoch: int | None = None,
        batch_size: int | None = None,
        rate: float = FINE_TUNING_RATE.default,
        held_back: float = HELD_BACK.default,
        seed: int = 0,
        verbose: Any = "auto",
    ) -> "FineTuned":
        """Trains the classifier on clean examples alone, for a few epochs, and keeps the best one.

        It minimises the plain loss; the meta-learner stays as it is. A part of the examples is held
        back. The weights after the epoch of least loss on that part are kept, and those of before
        where it is not better by one standard error.

        Args:
            x_meta: clean inputs: an array, or a tuple or dict of arrays, of M rows.
            y_meta: their labels, [M] or [M, C].
            epochs: at least 1. An epoch has `steps_per_epoch` steps, each on one batch, but at most
                20 passes over the examples.
            steps_per_epoch: by default as many as an epoch of the last `fit` had.
            batch_size: by default 100, or all examples that are not held back if these are fewer.
            rate: the learning rate, as a multiple of the initial one of `compile`.
            held_back: the share of the examples of each class that are held back, in [0, 1); with
                0 the last epoch is kept.
            seed: of the examples held back and of the batches.
            verbose: as in `fit`.

        Returns:
            `tf_mwn.training.fine_tuning.FineTuned`: the losses on the examples held back, and the
            number of epochs kept.

        Raises:
            TypeError, ValueError: arrays that do not fit the classifier, or an argument outside its
                range.
        """
        from tf_mwn.training.fine_tuning import fine_tune_on_arrays

        steps = self._steps_of_an_epoch if steps_per_epoch is None else steps_per_epoch
        if steps is None:
            raise ValueError("steps_per_epoch: expected a number before any fit, received none")
        done, keys = fine_tune_on_arrays(
            self, x_meta, y_meta, epochs, steps, batch_size, rate, held_back, seed, verbose
        )
        if done.kept:
            self._tuned_on = np.concatenate([self._tuned_on, keys])
        return done

    def unseen(self, x_meta: Any) -> np.ndarray:
        """Which clean examples no last phase has trained the classifier on, bool [M].

        Args:
            x_meta: clean inputs: an array, or a tuple or dict of arrays, of M rows.
        """
        return ~np.isin(row_keys(x_meta), self._tuned_on)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """One step on a training element (x, y), as in Keras.

        Raises:
            ValueError: as `fit`; or a method that acts between epochs, which `fit` counts.
        """
        if self.phases is not None or type(self).begin_epoch is not Loops.begin_epoch:
            raise ValueError(
                f"train_on_batch: expected a method without epochs, received "
                f"{type(self).__name__}, which acts between them; use fit"
            )
        with mistakes_in_batches():
            data = (x, y) if sample_weight is None else (x, y, sample_weight)
            data = self.checked(data, self._weighing(class_weight))
        self.make_train_function()
        return self._on_batch(self.train_function, data, return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """As in Keras."""
        self._evaluating = True
        try:
            self.make_test_function()
            data = (x, y) if sample_weight is None else (x, y, sample_weight)
            return self._on_batch(self.test_function, data, return_dict)
        finally:
            self._evaluating = False

    def _on_batch(self, step: Callable[[Iterator[Any]], Logs], data: Any, return_dict: bool) -> Any:
        dataset = tf.data.Dataset.from_tensors(data)
        build_metrics(self, dataset)
        self.reset_metrics()
        if distributed_loop.is_needed(self.distribute_strategy):
            step(next(iter(distributed_loop.distributed(self.distribute_strategy, dataset))))
        else:
            step(iter(dataset))
        logs = distributed_loop.results(self)
        return logs if return_dict else keras_internals.metrics_in_order(self, logs)

    @property
    def num_epochs(self) -> int | None:
        """Epochs of all phases; None for a method without phases."""
        return None if self.phases is None else self.phases.num_epochs

    def begin_epoch(self) -> None:
        """Called on the host before each epoch. Default: begins a phase that is due."""
        if self.phases is not None:
            self.phases.locate()
            if self.phases.is_starting:
                self.begin_phase(self.phases.current)

    def begin_phase(self, phase: str) -> None:
        """Called before the first epoch of a phase. Default: nothing."""

    def end_epoch(self) -> None:
        """Called when an epoch ends, before evaluation and checkpointing."""
        if self.phases is not None:
            self.phases.advance()

    def step_kind(self) -> Hashable:
        """The kind of the next step; each kind is traced once.

        A condition inside the step would put sums over replicas into a branch, which strategies
        do not allow. Default: the current phase.
        """
        return None if self.phases is None else self.phases.current

    def make_train_function(self, force: bool = False) -> None:
        """A function of the iterator that takes the traced step of the current kind."""
        if self.train_function is not None and not force:
            return
        traced = {}

        def take_step(iterator: Iterator[Any]) -> Logs:
            self._step_kind = self.step_kind()
            if self._step_kind not in traced:
                traced[self._step_kind] = self._step_function(self.train_step)
            return traced[self._step_kind](iterator)

        self.train_function = take_step

    def make_test_function(self, force: bool = False) -> None:
        """As in Keras, on any number of devices."""
        if self.test_function is None or force:
            self.test_function = self._step_function(self.test_step)

    def _step_function(self, step: Callable[[Any], Logs]) -> Callable[[Iterator[Any]], Logs]:
        on_many = distributed_loop.is_needed(self.distribute_strategy)
        return (distributed_loop if on_many else keras_internals).step_function(self, step)

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """As in Keras; each example counts once on any number of devices."""
        self._evaluating = True
        try:
            if distributed_loop.is_needed(self.distribute_strategy):
                return distributed_loop.evaluate(self, *args, **kwargs)
            return super().evaluate(*args, **kwargs)
        finally:
            self._evaluating = False


class _EpochHooks(keras.callbacks.Callback):
    """Calls the model's `begin_epoch` and `end_epoch`; the first of the callbacks."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._first = keras_internals.steps_taken(self.model.optimizer)
        self.model.check_variables()
        self.model.begin_epoch()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        last = keras_internals.steps_taken(self.model.optimizer)
        self.model._steps_of_an_epoch = last - self._first or None
        self.model.end_epoch()
