"""The training step of a case on synthetic images, built and fed as in a run."""

import contextlib
import dataclasses
import itertools
import time
from collections.abc import Hashable, Iterator

import keras
import numpy as np
import tensorflow as tf

from tf_mwn import networks
from tf_mwn.benchmark.plan import BASELINE, KERAS, Case, Images, StepError
from tf_mwn.data.sources.source import RawSource, build_source
from tf_mwn.data.splits.biased_data import BiasedData, prepare
from tf_mwn.methods import registry
from tf_mwn.runs import build, streams
from tf_mwn.runs.devices import check_shares
from tf_mwn.training import distributed_loop
from tf_mwn.training.metrics import build_metrics


def method_of(case: Case) -> registry.Method:
    """The method of a case; plain Keras trains on what the plain step trains on."""
    return registry.find(BASELINE if case.method == KERAS else case.method)


def training_set(case: Case, images: Images) -> BiasedData:
    """Synthetic images for several batches, with a meta set of at least a meta batch."""
    batch, classes = case.config.batch_size, images.num_classes
    meta_batch = method_of(case).meta_batch_size(vars(case.config), batch)
    meta_size = classes * -(-max(meta_batch, classes) // classes)
    # With few images, reading rows would be faster than from a real data set.
    count = max(5 * batch, 20 * classes, 2000) + 2 * meta_size
    rng = np.random.default_rng(0)
    shape = (images.size, images.size, 3)
    source = RawSource(
        "synthetic",
        rng.integers(0, 256, (count, *shape), np.uint8),
        np.arange(count) % classes,
        x_test=rng.integers(0, 256, (classes, *shape), np.uint8),
        y_test=np.arange(classes),
    )
    settings = dataclasses.replace(case.config, meta_size=meta_size)
    return prepare(build_source(source), settings, seed=0)


class Step:
    """The compiled training step of a case, without what the method does between epochs.

    If the method trains in phases, the step is that of the last phase.

    Args:
        case: method and settings.
        images: of the synthetic data.
        strategy: with the number of devices of the case.

    Attributes:
        tracing_seconds: time of the first step of each kind; 0 before `trace`.

    Raises:
        ValueError, TypeError: the settings do not fit together.
    """

    def __init__(self, case: Case, images: Images, strategy: tf.distribute.Strategy):
        self.case, self.tracing_seconds = case, 0.0
        self._strategy = strategy
        self._method, self._data = method_of(case), training_set(case, images)
        sizes = {"batch_size": case.config.batch_size}
        if self._method.takes_meta_set(vars(case.config)):
            settings = vars(case.config)
            sizes["meta_batch_size"] = self._method.meta_batch_size(
                settings, case.config.batch_size
            )
        check_shares(strategy, **sizes)
        with self._policy(), strategy.scope():
            self._model = self._build()
        self._model.make_train_function()
        self._constant = self._constant_feed()
        self._kinds = self._positions_of_kinds()

    def _build(self) -> keras.Model:
        model = build.build_model(self.case.config, self._method, self._data, 0, 1)
        if model.phases is not None:
            for _ in range(model.num_epochs - 1):
                model.phases.advance()
        return model

    @property
    def cycle(self) -> int:
        """The number of steps after which the kinds of steps repeat."""
        return getattr(self._model, "meta_interval", 1) or 1

    @contextlib.contextmanager
    def _policy(self) -> Iterator[None]:
        kept = keras.config.dtype_policy()
        keras.config.set_dtype_policy(self.case.config.precision)
        try:
            yield
        finally:
            keras.config.set_dtype_policy(kept)

    def _positions_of_kinds(self) -> dict[Hashable, tuple[int, int]]:
        """For each kind of step its first position in the cycle, and how often it occurs there."""
        kinds = {}
        for position in range(self.cycle):
            self._go_to(position)
            first, number = kinds.get(self._model.step_kind(), (position, 0))
            kinds[self._model.step_kind()] = first, number + 1
        return kinds

    def _go_to(self, position: int) -> None:
        if self.cycle > 1:
            self._model.optimizer.iterations.assign(position)

    def trace(self) -> None:
        """Executes the first step of each kind, which builds it.

        Raises:
            StepError: the step cannot be built; XLA cannot compile every step.
        """
        self._build_metrics()
        try:
            with self._policy():
                self.tracing_seconds = sum(seconds for seconds, _ in self._time_kinds())
        except (tf.errors.OpError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:300]
            raise StepError(f"{self.case.full_name}: {reason}") from error

    def _build_metrics(self) -> None:
        build_metrics(self._model, self._stream())

    def seconds(self) -> float:
        """Time of one step, the mean over a cycle. Each kind of step is executed once."""
        return sum(seconds * number for seconds, number in self._time_kinds()) / self.cycle

    def _time_kinds(self) -> Iterator[tuple[float, int]]:
        for position, number in self._kinds.values():
            self._go_to(position)
            yield self._block(self._constant, 1), number

    def block_seconds(self, steps: int, streamed: bool) -> float:
        """Time per step of `steps` steps in a row, after some untimed ones.

        Args:
            steps: rounded up to whole cycles.
            streamed: whether the steps read a training stream, or one batch again and again.
        """
        cycles = -(-steps // self.cycle)
        feed = self._stream_feed() if streamed else self._constant
        self._go_to(0)
        self._block(feed, self.cycle * -(-cycles // 4))
        return self._block(feed, self.cycle * cycles) / (self.cycle * cycles)

    def _stream(self) -> tf.data.Dataset:
        return streams.build_stream(self.case.config, self._method, self._data, 0, 0)

    def _constant_feed(self) -> Iterator:
        element = next(iter(self._stream()))
        batch = tf.data.Dataset.from_tensors(element)
        if not distributed_loop.is_needed(self._strategy):
            return iter(batch.repeat())
        return itertools.repeat(next(iter(self._distributed(batch))))

    def _stream_feed(self) -> Iterator:
        return iter(self._distributed(self._stream()))

    def _distributed(self, stream: tf.data.Dataset):
        if not distributed_loop.is_needed(self._strategy):
            return stream
        return distributed_loop.distributed(self._strategy, stream)

    def _block(self, feed: Iterator, steps: int) -> float:
        """Seconds of `steps` steps in a row."""
        started = time.perf_counter()
        for _ in range(steps):
            logs = self._take(feed)
        float(tf.reduce_mean(logs["loss"]))  # waits for the last step to end
        return time.perf_counter() - started

    def _take(self, feed: Iterator) -> dict[str, tf.Tensor]:
        # The function of Keras takes the iterator; that for many devices takes a batch.
        many = distributed_loop.is_needed(self._strategy)
        return self._model.train_function(next(feed) if many else feed)


class KerasStep(Step):
    """The step of `keras.Model.fit` on the same network, as a user of Keras would train it."""

    cycle = 1

    def _build(self) -> keras.Model:
        config, shape = self.case.config, self._data.train.x.shape[1:]
        classifier = networks.build(config.network, shape, self._data.num_classes, None)
        classifier.compile(
            keras.optimizers.SGD(
                config.learning_rate, config.momentum, weight_decay=config.weight_decay
            ),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            jit_compile={"auto": "auto", "true": True, "false": False}[config.jit_compile],
        )
        return classifier

    def _positions_of_kinds(self):
        return {None: (0, 1)}

    def _build_metrics(self) -> None:
        """Keras builds them in the first step."""

    def _stream(self) -> tf.data.Dataset:
        return super()._stream().map(lambda element, labels: (element["inputs"], labels))

    def _constant_feed(self) -> Iterator:
        element = tf.data.Dataset.from_tensors(next(iter(self._stream())))
        return iter(self._distributed(element.repeat()))

    def _take(self, feed: Iterator):
        return self._model.train_function(feed)


def step_of(case: Case, images: Images, strategy: tf.distribute.Strategy) -> Step:
    """The step of a method, or of plain Keras."""
    return (KerasStep if case.method == KERAS else Step)(case, images, strategy)
