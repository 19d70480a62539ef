"""The private names of Keras that this package needs, each once and with its reason.

A release of Keras may remove any of them; tests/engine/test_keras_internals.py then names it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras
import tensorflow as tf
from tensorflow.python.framework import ops

from tf_mwn.tensors import Logs, Tensor


def has_ordered_layers(model: keras.Model) -> bool:
    """Whether `model` is functional or Sequential, so that its layers have an order.

    Keras exports no name for the class of functional models.
    """
    return isinstance(model, (keras.Sequential, keras.src.models.Functional))


def every_layer(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """The model and all layers in it, at any depth.

    `Model.layers` stops at layers that hold layers, such as `Bidirectional` or a user's own.
    """
    return model._flatten_layers()


def has_mask(outputs: Any) -> bool:
    """Whether Keras' layers have marked some of these outputs as padding.

    `Layer.compute_mask` gives the mask of one layer, not that of a model's output.
    """
    return keras.src.backend.get_keras_mask(outputs) is not None


def rate_or_schedule(optimizer: keras.optimizers.Optimizer) -> Any:
    """The learning rate as it was set: a variable, a schedule or a function.

    `Optimizer.learning_rate` gives the current value of a schedule, not the schedule.
    """
    return optimizer._learning_rate


def initial_rate(optimizer: keras.optimizers.Optimizer) -> float:
    """The learning rate now, or that of the first step of a schedule."""
    rate = rate_or_schedule(getattr(optimizer, "inner_optimizer", optimizer))
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        rate = rate(0)
    elif not isinstance(rate, keras.Variable) and callable(rate):
        rate = rate()
    return float(tf.convert_to_tensor(rate))


def slots(optimizer: keras.optimizers.Optimizer, name: str) -> list[keras.Variable]:
    """The slots of a built optimizer, such as "velocities", in the order of its variables.

    `Optimizer.variables` has them under names that a user's models may share.
    """
    return getattr(optimizer, f"_{name}")


def clipped(optimizer: keras.optimizers.Optimizer, gradient: list[Tensor]) -> list[Tensor]:
    """`gradient` as the optimizer's `clipnorm`, `global_clipnorm` or `clipvalue` leave it.

    Keras clips within `apply`, and the second moment is that of the clipped gradient.
    """
    return optimizer._clip_gradients(gradient)


def step_function(
    model: keras.Model, step: Callable[[Any], Logs]
) -> Callable[[Iterator[Any]], Logs]:
    """The function of an iterator that Keras' own loop calls: `step`, traced unless run eagerly.

    `Model.make_train_function` takes `train_step` alone; the models here have several kinds of
    step.
    """
    return model._make_function(step)


def first_epoch(model: keras.Model, given: int) -> int:
    """The epoch that training begins with: `BackupAndRestore` leaves its own in the model."""
    return model._initial_epoch or given


def metrics_in_order(model: keras.Model, logs: Mapping[str, Any]) -> Any:
    """`logs` as `Model.evaluate` returns them with return_dict=False: one value, or a list."""
    return model._flatten_metrics_in_order(logs)


def has_no_derivative(kind: str) -> bool:
    """Whether TensorFlow is told that operations of this type have no derivative.

    A tape takes it for zero, without a word. Operations that TensorFlow knows no derivative of
    raise `LookupError` instead. The package `tensorflow` exports no way to ask.
    """
    try:
        return ops.gradient_registry.lookup(kind) is None
    except LookupError:
        return False


def step_counter(optimizer: keras.optimizers.Optimizer) -> keras.Variable:
    """How often a built optimizer was given a gradient.

    `Optimizer.iterations` counts whole groups of them under `gradient_accumulation_steps`.
    """
    return getattr(optimizer, "inner_optimizer", optimizer)._iterations


def steps_taken(optimizer: keras.optimizers.Optimizer) -> int:
    """The value of `step_counter`, outside graphs."""
    return int(step_counter(optimizer).numpy())
