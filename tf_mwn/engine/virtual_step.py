"""The virtual step: where the classifier's weights would go, without going there."""

from collections.abc import Sequence

import keras
import tensorflow as tf


def plain_step(
    weights: Sequence[tf.Tensor], gradient: Sequence[tf.Tensor], learning_rate: tf.Tensor
) -> tuple[list[tf.Tensor], tf.Tensor]:
    """ŵ = w - α g: plain SGD, whatever the real optimizer is (Meta-Weight-Net, step 5).

    Returns:
        ŵ, and the rate c with ∂ŵ/∂g = -c, which scales the meta gradient; here c = α.
    """
    rates = [tf.cast(learning_rate, w.dtype) for w in weights]
    moved = [w - rate * g for w, g, rate in zip(weights, gradient, rates, strict=True)]
    return moved, tf.convert_to_tensor(learning_rate)


def optimizer_step(
    weights: Sequence[tf.Tensor],
    gradient: Sequence[tf.Tensor],
    optimizer: keras.optimizers.SGD,
    selection: Sequence[int],
) -> tuple[list[tf.Tensor], tf.Tensor]:
    """ŵ as `optimizer` would step: SGD with its momentum buffer and its weight decay.

    The variant of ShiYunyi/Meta-Weight-Net_Code-Optimization. With velocity v, momentum μ and
    g' = g plus coupled decay: v' = μ v - α g', ŵ = w + v' (Nesterov: ŵ = w + μ v' - α g').

    Args:
        weights, gradient: the weights the virtual step moves, and their gradients.
        optimizer: a built `keras.optimizers.SGD` (or a subclass with `coupled_weight_decay`).
        selection: position of each of `weights` in the optimizer's variable list.

    Returns:
        ŵ and the rate c with ∂ŵ/∂g = -c: α, or (1 + μ) α with Nesterov momentum.
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
    return moved, learning_rate * factor
