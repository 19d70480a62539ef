"""Derivatives of a training objective in the logits."""

from collections.abc import Callable

import tensorflow as tf


def logits_gradient(objective: Callable[[tf.Tensor], tuple], logits: tf.Tensor):
    """∂T/∂z of `objective`, a function of the logits alone.

    Args:
        objective: logits [B, C] -> (scalar T, anything else worth keeping).
        logits: [B, C]; treated as a constant, so that an outer tape sees only what the
            objective itself depends on.

    Returns:
        ∂T/∂z [B, C], and the second value of `objective`.
    """
    logits = tf.stop_gradient(logits)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(logits)
        value, aside = objective(logits)
    return tape.gradient(value, logits), aside
