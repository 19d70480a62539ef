"""The virtual step: where the classifier's weights would go, without going there."""

import dataclasses
from collections.abc import Sequence

import keras
import tensorflow as tf

from tf_mwn.engine import preconditioner
from tf_mwn.tensors import Tensor


@dataclasses.dataclass(frozen=True)
class VirtualStep:
    """Where a virtual step leads, and its derivative ∂ŵ/∂g = -c D in the gradient.

    Attributes:
        weights: ŵ.
        rate: c, a scalar.
        diagonal: D, a list of tensors like ŵ, constant for the derivative; None for 1.
    """

    weights: list[Tensor]
    rate: Tensor
    diagonal: list[Tensor] | None = None

    def transposed(self, direction: Sequence[Tensor]) -> list[Tensor]:
        """D u of a direction u."""
        if self.diagonal is None:
            return list(direction)
        return [d * u for d, u in zip(self.diagonal, direction, strict=True)]


def plain_step(
    weights: Sequence[Tensor], gradient: Sequence[Tensor], learning_rate: Tensor
) -> VirtualStep:
    """ŵ = w - α g: plain SGD, whatever the real optimizer is (Meta-Weight-Net, step 5); c = α."""
    rates = [tf.cast(learning_rate, w.dtype) for w in weights]
    moved = [w - rate * g for w, g, rate in zip(weights, gradient, rates, strict=True)]
    return VirtualStep(moved, tf.convert_to_tensor(learning_rate))


def optimizer_step(
    weights: Sequence[Tensor],
    gradient: Sequence[Tensor],
    optimizer: keras.optimizers.SGD,
    selection: Sequence[int],
) -> VirtualStep:
    """ŵ as `optimizer` would step: SGD with its momentum buffer and its weight decay.

    The variant of ShiYunyi/Meta-Weight-Net_Code-Optimization. With velocity v, momentum μ and
    g' = g plus coupled decay: v' = μ v - α g', ŵ = w + v' (Nesterov: ŵ = w + μ v' - α g').

    Args:
        weights, gradient: the weights the virtual step moves, and their gradients.
        optimizer: a built `keras.optimizers.SGD` (or a subclass with `coupled_weight_decay`).
        selection: position of each of `weights` in the optimizer's variable list.

    Returns:
        c is α, or (1 + μ) α with Nesterov momentum.
    """
    learning_rate = tf.convert_to_tensor(optimizer.learning_rate)
    momentum, decoupled = optimizer.momentum, optimizer.weight_decay or 0.0
    coupled = getattr(optimizer, "coupled_weight_decay", 0.0)
    factor = 1.0 + momentum if optimizer.nesterov else 1.0
    moved = []
    for w, g, i in zip(weights, gradient, selection, strict=True):
        rate = tf.cast(learning_rate, w.dtype)
        step = -factor * rate * (g + coupled * w) - rate * decoupled * w
        if momentum:
            reach = momentum**2 if optimizer.nesterov else momentum
            step += reach * tf.convert_to_tensor(optimizer.momentums[i])
        moved.append(w + step)
    return VirtualStep(moved, learning_rate * factor)


def preconditioned_step(
    weights: Sequence[Tensor],
    gradient: Sequence[Tensor],
    optimizer: keras.optimizers.Optimizer,
    selection: Sequence[int],
) -> VirtualStep:
    """ŵ = w - D g, with the diagonal D of an adaptive optimizer held constant.

    Through D the derivative would vanish at the first step of Adam, which moves every weight by
    the learning rate whatever the gradient is. Betty's SAMA adapts to Adam in the same way (Choe
    et al., NeurIPS 2023).

    Args:
        weights, gradient: the weights that the virtual step moves, and their gradients, summed
            over replicas.
        optimizer: a built optimizer with a diagonal; see `preconditioner.diagonal`.
        selection: position of each of `weights` in the optimizer's variable list.
    """
    scale = preconditioner.diagonal(optimizer, weights, gradient, selection)
    moved = [w - d * g for w, d, g in zip(weights, scale, gradient, strict=True)]
    return VirtualStep(moved, tf.ones([], weights[0].dtype), scale)
