"""The diagonal D by which an adaptive optimizer scales its gradient."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import keras
import tensorflow as tf

from tf_mwn.engine import keras_internals
from tf_mwn.tensors import Tensor


def _adam(optimizer: Any, g: Tensor, i: int, rate: Tensor, step: Tensor) -> Tensor:
    # lr √(1-β₂ᵗ) / (√v + ε), which is how Keras places ε.
    v = _running(keras_internals.slots(optimizer, "velocities")[i], tf.square(g), optimizer.beta_2)
    if optimizer.amsgrad:
        v = tf.maximum(v, keras_internals.slots(optimizer, "velocity_hats")[i])
    unbiased = tf.sqrt(1 - tf.cast(optimizer.beta_2, g.dtype) ** step)
    return rate * unbiased / (tf.sqrt(v) + optimizer.epsilon)


def _nadam(optimizer: Any, g: Tensor, i: int, rate: Tensor, step: Tensor) -> Tensor:
    v = _running(keras_internals.slots(optimizer, "velocities")[i], tf.square(g), optimizer.beta_2)
    v /= 1 - tf.cast(optimizer.beta_2, g.dtype) ** step
    return rate / (tf.sqrt(v) + optimizer.epsilon)


def _adamax(optimizer: Any, g: Tensor, i: int, rate: Tensor, step: Tensor) -> Tensor:
    u = tf.cast(keras_internals.slots(optimizer, "u")[i], g.dtype)
    del step  # the correction 1 - β₁ᵗ belongs to the first moment
    return rate / (tf.maximum(optimizer.beta_2 * u, tf.abs(g)) + optimizer.epsilon)


def _rms_prop(optimizer: Any, g: Tensor, i: int, rate: Tensor, step: Tensor) -> Tensor:
    del step
    v = _running(keras_internals.slots(optimizer, "velocities")[i], tf.square(g), optimizer.rho)
    if optimizer.centered:
        mean = _running(keras_internals.slots(optimizer, "average_gradients")[i], g, optimizer.rho)
        v -= tf.square(mean)
    return rate / tf.sqrt(v + optimizer.epsilon)


def _adagrad(optimizer: Any, g: Tensor, i: int, rate: Tensor, step: Tensor) -> Tensor:
    del step
    total = tf.cast(keras_internals.slots(optimizer, "accumulators")[i], g.dtype) + tf.square(g)
    return rate / tf.sqrt(total + optimizer.epsilon)


def _adadelta(optimizer: Any, g: Tensor, i: int, rate: Tensor, step: Tensor) -> Tensor:
    del step
    slots = keras_internals.slots
    squares = _running(slots(optimizer, "accumulated_grads")[i], tf.square(g), optimizer.rho)
    steps = tf.cast(slots(optimizer, "accumulated_delta_vars")[i], g.dtype)
    return rate * tf.sqrt(steps + optimizer.epsilon) / tf.sqrt(squares + optimizer.epsilon)


# (optimizer, gradient, its number among the variables, learning rate, step from 1) -> diagonal
Rule: TypeAlias = Callable[[Any, Tensor, int, Tensor, Tensor], Tensor]
# By the class of Keras whose update rule it is.
_RULES: dict[type, Rule] = {
    keras.optimizers.Adam: _adam,
    keras.optimizers.Nadam: _nadam,
    keras.optimizers.Adamax: _adamax,
    keras.optimizers.RMSprop: _rms_prop,
    keras.optimizers.Adagrad: _adagrad,
    keras.optimizers.Adadelta: _adadelta,
}


def _running(slot: keras.Variable, value: Tensor, memory: float) -> Tensor:
    """The running mean after this step, whose value is `value`."""
    old = tf.cast(slot, value.dtype)
    return memory * old + (1 - memory) * value


def rule_of(optimizer: keras.optimizers.Optimizer) -> Rule | None:
    """How `optimizer` scales a gradient; None for one without a diagonal of its own.

    A subclass counts as its parent unless it has an update rule of its own. `AdamW` is an `Adam`.
    """
    for kind in type(optimizer).__mro__:
        if kind in _RULES:
            return _RULES[kind]
        if "update_step" in vars(kind) and not hasattr(optimizer, "coupled_weight_decay"):
            return None
    return None


def diagonal(
    optimizer: keras.optimizers.Optimizer,
    weights: Sequence[Tensor],
    gradient: Sequence[Tensor],
    selection: Sequence[int],
) -> list[Tensor]:
    """D of the step that `optimizer` is about to take, as constants; w - D g is where it leads.

    The first moment is left out: D belongs to g alone. The second moment includes this step's
    gradient, coupled weight decay and clipping included, and is corrected for its bias. Clipping
    shortens D as it shortens the gradient.

    Args:
        optimizer: a built optimizer with a rule, see `rule_of`.
        weights, gradient: the weights that the virtual step moves, and their gradients, summed
            over replicas.
        selection: position of each of `weights` in the optimizer's variable list.
    """
    rule, decay = rule_of(optimizer), getattr(optimizer, "coupled_weight_decay", 0.0)
    if rule is None:
        name = type(optimizer).__name__
        raise ValueError(f"optimizer: expected one with a rule of its own, received {name}")
    if decay:
        gradient = [g + decay * w for g, w in zip(gradient, weights, strict=True)]
    whole, gradient = gradient, keras_internals.clipped(optimizer, list(gradient))
    scaled = []
    for g, before, i in zip(gradient, whole, selection, strict=True):
        rate = tf.cast(optimizer.learning_rate, g.dtype)
        step = tf.cast(optimizer.iterations + 1, g.dtype)
        scale = rule(optimizer, g, i, rate, step)
        if g is not before:
            scale *= tf.where(before == 0, 1.0, tf.math.divide_no_nan(g, before))
        scaled.append(tf.stop_gradient(scale))
    return scaled
