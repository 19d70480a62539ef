"""Optimizers with coupled weight decay, as in the papers' code, and loss scaling."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_mwn.engine.replicas import all_reduce_sum, num_replicas
from tf_mwn.tensors import Tensor


def loss_scale(optimizer: keras.optimizers.Optimizer) -> Tensor | None:
    """The scale of a `LossScaleOptimizer`, which float16 needs; None for any other optimizer."""
    if not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return None
    return tf.convert_to_tensor(optimizer.dynamic_scale)


def apply_gradient(
    optimizer: keras.optimizers.Optimizer,
    gradient: Sequence[Tensor],
    variables: Sequence[keras.Variable],
) -> None:
    """Takes one step of `optimizer` with this replica's share of the unscaled gradient.

    If the gradient is not finite on any replica, a `LossScaleOptimizer` skips the step and halves
    its scale on all of them.
    """
    scale = loss_scale(optimizer)
    if scale is not None:
        gradient = [tf.cast(scale, part.dtype) * part for part in gradient]
        if num_replicas() > 1:
            spoilt = [tf.reduce_any(~tf.math.is_finite(part)) for part in gradient]
            count = all_reduce_sum(tf.reduce_sum(tf.cast(spoilt, tf.float32)))
            # x/0: not finite; x/1: x itself. A constant NaN would fail numeric debugging.
            gradient = [part / tf.cast(count == 0, part.dtype) for part in gradient]
    optimizer.apply(gradient, variables)


def without_loss_scale(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """The optimizer inside a `LossScaleOptimizer`; any other optimizer unchanged."""
    return getattr(optimizer, "inner_optimizer", optimizer)


class _CoupledWeightDecay:
    """Adds `coupled_weight_decay * w` to every gradient, before momentum.

    Keras' own `weight_decay` is decoupled: at momentum 0.9 the same number regularises about
    ten times less. The papers (and `torch.optim`) add the decay to the gradient of every
    trainable variable, batch norm and biases included.
    """

    def __init__(self, *args: Any, coupled_weight_decay: float = 0.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if coupled_weight_decay < 0:
            raise ValueError(
                f"coupled_weight_decay: expected a value >= 0, received {coupled_weight_decay}"
            )
        self.coupled_weight_decay = float(coupled_weight_decay)

    def update_step(
        self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor
    ) -> None:
        if self.coupled_weight_decay:
            gradient = gradient + self.coupled_weight_decay * keras.ops.cast(
                variable, gradient.dtype
            )
        super().update_step(gradient, variable, learning_rate)  # type: ignore[misc]

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()  # type: ignore[misc]
        return {**config, "coupled_weight_decay": self.coupled_weight_decay}


@keras.saving.register_keras_serializable(package="tf_mwn")
class CoupledSGD(_CoupledWeightDecay, keras.optimizers.SGD):
    """`keras.optimizers.SGD` with weight decay added to the gradient before momentum.

    Examples:
        >>> model = tf_mwn.CrossEntropy(classifier)
        >>> model.compile(tf_mwn.CoupledSGD(0.1, momentum=0.9, coupled_weight_decay=5e-4))

    See Also:
        - `CoupledAdam`: the same for Adam.
        - `LearnedWeightDecay`: a weight decay that is learned.
    """


@keras.saving.register_keras_serializable(package="tf_mwn")
class CoupledAdam(_CoupledWeightDecay, keras.optimizers.Adam):
    """`keras.optimizers.Adam` with weight decay added to the gradient (classical L2).

    Examples:
        >>> model = tf_mwn.MetaWeightNet(classifier)
        >>> model.compile("sgd", meta_optimizer=tf_mwn.CoupledAdam(3e-3, coupled_weight_decay=1e-3))

    See Also:
        - `CoupledSGD`: the same for SGD.
        - `LearnedWeightDecay`: a weight decay that is learned.
    """
