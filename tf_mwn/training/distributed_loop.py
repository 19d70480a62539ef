"""Training and evaluation on many devices, in place of Keras' `fit` and `evaluate`.

Before the first step, Keras 3 calls the model on an average of the devices' inputs. The average
fails if the devices' shares of a batch differ in length. Under
`tf.distribute.MultiWorkerMirroredStrategy` it always fails, and so does Keras' average of scalar
logs (https://github.com/keras-team/keras/issues/20585). This loop uses TensorFlow's strategy API
instead. On several machines, every worker runs the same program on the same data set and keeps its
share of each batch.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_mwn.engine.keras_internals import first_epoch, metrics_in_order
from tf_mwn.engine.replicas import all_reduce_sum, num_replicas
from tf_mwn.tensors import Logs
from tf_mwn.training.metrics import build_metrics

Step = Callable[[Any], dict[str, tf.Tensor]]


def spans_machines(strategy: tf.distribute.Strategy) -> bool:
    """Whether the replicas of `strategy` are in several processes."""
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def is_needed(strategy: tf.distribute.Strategy) -> bool:
    """Whether Keras' own loop would fail: several replicas, or several machines."""
    return strategy.num_replicas_in_sync > 1 or spans_machines(strategy)


def step_function(model: keras.Model, step: Step) -> Step:
    """A function of a distributed batch that takes one step on every replica.

    Its logs are means over all replicas. Every worker gets the same logs, so all stop together.
    """
    strategy = model.distribute_strategy

    def on_replica(data: Any) -> Logs:
        shares = {name: tf.cast(value, tf.float32) for name, value in step(data).items()}
        return {name: total / num_replicas() for name, total in all_reduce_sum(shares).items()}

    def on_all(data: Any) -> Logs:
        logs = strategy.run(on_replica, args=(data,))
        return {name: strategy.experimental_local_results(logs[name])[0] for name in logs}

    if model.run_eagerly:
        return on_all
    return tf.function(
        on_all, autograph=False, reduce_retracing=True, jit_compile=model.jit_compile
    )


def fit(
    model: keras.Model,
    dataset: tf.data.Dataset,
    epochs: int,
    callbacks: list[keras.callbacks.Callback],
    verbose: int = 0,
    initial_epoch: int = 0,
    steps_per_epoch: int | None = None,
    validation_data: Any = None,
    validation_steps: int | None = None,
    validation_batch_size: int | None = None,
    validation_freq: int | Sequence[int] = 1,
    batch_size: None = None,
    shuffle: bool = False,
) -> keras.callbacks.History:
    """Trains as `keras.Model.fit` does, with its callbacks in its order.

    Args:
        model: compiled; `train_function` and `test_function` take a distributed batch.
        dataset: global batches, the same on every worker.
        epochs: epoch after which training ends.
        callbacks: as in Keras; they run on every worker, with the same logs.
        verbose: 0 shows nothing.
        initial_epoch: epochs done before.
        steps_per_epoch: of an endless data set; None for one pass over it.
        validation_data: a data set, (inputs, labels) or (inputs, labels, weights).
        validation_steps, validation_batch_size, validation_freq: as in Keras.
        batch_size, shuffle: not used; a data set says both.

    Raises:
        TypeError: other data than a data set.
        ValueError: the data end before `steps_per_epoch` steps, or `steps_per_execution` is set.
    """
    if not isinstance(dataset, tf.data.Dataset):
        raise TypeError(
            "x: expected arrays or a tf.data.Dataset of training elements on many devices, "
            f"received {type(dataset).__name__}"
        )
    if model.steps_per_execution != 1:
        raise ValueError(
            f"steps_per_execution: expected 1 on many devices, received {model.steps_per_execution}"
        )
    steps = _length(dataset) if steps_per_epoch is None else steps_per_epoch
    batches = _Batches(model, dataset, steps_per_epoch)
    listeners = keras.callbacks.CallbackList(
        callbacks, True, verbose != 0, model=model, epochs=epochs, steps=steps, verbose=verbose
    )
    build_metrics(model, dataset)
    model.make_train_function()
    model.stop_training = False
    listeners.on_train_begin()
    logs = {}
    for epoch in range(first_epoch(model, initial_epoch), epochs):
        model.reset_metrics()
        listeners.on_epoch_begin(epoch)
        _train_epoch(model, batches, listeners)
        logs = results(model)
        if validation_data is not None and _is_due(epoch, validation_freq):
            inputs, labels, weights = keras.utils.unpack_x_y_sample_weight(validation_data)
            found = model.evaluate(
                inputs,
                labels,
                validation_batch_size,
                sample_weight=weights,
                steps=validation_steps,
                callbacks=listeners,
                return_dict=True,
            )
            logs |= {f"val_{name}": value for name, value in found.items()}
        listeners.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    model.optimizer.finalize_variable_values(model.trainable_weights)
    listeners.on_train_end(logs)
    return model.history


def _is_due(epoch: int, frequency: int | Sequence[int]) -> bool:
    if isinstance(frequency, int):
        return (epoch + 1) % frequency == 0
    return epoch + 1 in frequency


def _train_epoch(
    model: keras.Model, batches: "_Batches", listeners: keras.callbacks.CallbackList
) -> None:
    for step, data in enumerate(batches.epoch()):
        listeners.on_train_batch_begin(step)
        listeners.on_train_batch_end(step, model.train_function(data))
        if model.stop_training:
            break


def evaluate(
    model: keras.Model,
    x: Any,
    y: Any = None,
    batch_size: int | None = None,
    verbose: Any = "auto",
    sample_weight: Any = None,
    steps: int | None = None,
    callbacks: Any = None,
    return_dict: bool = False,
) -> dict[str, float] | list[float]:
    """The metrics over a whole set. Each example counts once, and all workers get equal values.

    Args:
        model: compiled; `test_function` takes a distributed batch.
        x: data set of (inputs, labels), or inputs in arrays.
        y: labels, with arrays.
        batch_size: global batch size, with arrays; None for 32.
        verbose: ignored.
        sample_weight: weights of the examples, with arrays.
        steps: the batches to evaluate; None for all.
        callbacks: as in Keras; their methods for tests are called.
        return_dict: as in Keras.
    """
    dataset = x
    if not isinstance(x, tf.data.Dataset):
        parts = (x, y) if sample_weight is None else (x, y, sample_weight)
        dataset = tf.data.Dataset.from_tensor_slices(parts).batch(batch_size or 32)
    if steps is not None:
        dataset = dataset.take(steps)
    if not isinstance(callbacks, keras.callbacks.CallbackList):
        callbacks = keras.callbacks.CallbackList(callbacks, model=model)
    build_metrics(model, dataset)
    model.make_test_function()
    model.reset_metrics()
    callbacks.on_test_begin()
    for step, data in enumerate(distributed(model.distribute_strategy, dataset)):
        callbacks.on_test_batch_begin(step)
        callbacks.on_test_batch_end(step, model.test_function(data))
    logs = results(model)
    callbacks.on_test_end(logs)
    return logs if return_dict else metrics_in_order(model, logs)


def results(model: keras.Model) -> dict[str, Any]:
    """The metrics so far over all replicas: floats, or arrays for metrics with several values."""
    found = keras.tree.map_structure(keras.ops.convert_to_numpy, model.get_metrics_result())
    return {name: value if value.ndim else float(value) for name, value in found.items()}


def distributed(strategy: tf.distribute.Strategy, dataset: tf.data.Dataset) -> Iterable[Any]:
    """`dataset` with each batch split into the replicas' shares, in order of the replicas."""
    options = tf.data.Options()
    # By default each worker may read a part of the files: batches would differ from those of one
    # device.
    policy = tf.data.experimental.AutoShardPolicy.DATA
    options.experimental_distribute.auto_shard_policy = policy
    return strategy.experimental_distribute_dataset(dataset.with_options(options))


class _Batches:
    """The distributed batches, epoch by epoch."""

    def __init__(self, model: keras.Model, dataset: tf.data.Dataset, steps: int | None) -> None:
        self._dataset = distributed(model.distribute_strategy, dataset)
        self._endless = None if steps is None else (iter(self._dataset), steps)

    def epoch(self) -> Iterator[Any]:
        if self._endless is None:
            yield from self._dataset
            return
        batches, steps = self._endless
        for done in range(steps):
            try:
                data = next(batches)
            except StopIteration:
                raise ValueError(
                    f"steps_per_epoch: expected data for {steps} steps of every epoch, "
                    f"received {done} in the last one; pass dataset.repeat()"
                ) from None
            yield data


def _length(dataset: tf.data.Dataset) -> int | None:
    length = int(dataset.cardinality())
    if length == tf.data.INFINITE_CARDINALITY:
        raise ValueError(
            "steps_per_epoch: expected a number for an endless data set, received none"
        )
    return None if length < 0 else length
