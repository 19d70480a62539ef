"""The gradient of the meta loss at virtual weights."""

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from tf_mwn.engine.linearise import Linearisation, functional_call
from tf_mwn.engine.replicas import global_mean
from tf_mwn.tensors import Inputs, Logits, Losses, Tensor


def meta_loss_gradient(
    classifier: keras.Model,
    linear: Linearisation,
    selection: Sequence[int],
    virtual: Sequence[Tensor],
    inputs: Inputs,
    losses_of: Callable[[Logits], Losses],
    scale: Tensor | None = None,
) -> tuple[list[Tensor], Tensor]:
    """u = ∇ L_meta(ŵ) in the variables of the virtual step; no state changes.

    Args:
        classifier: the model that `linear` is the forward pass of.
        linear: on the training batch.
        selection: indices into `classifier.trainable_variables`; the others stay at w.
        virtual: their values ŵ.
        inputs: of the meta batch.
        losses_of: logits [B, C] of the meta batch -> its per-example losses [B], of which the meta
            loss is the mean.
        scale: as of `Linearisation`.

    Returns:
        u, a list like `virtual` (this replica's share), and the losses [B].
    """
    variables, virtual = classifier.trainable_variables, list(virtual)
    moved = [(variables[i], value) for i, value in zip(selection, virtual, strict=True)]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(virtual)
        # The training batch's updates go in, so that dropout draws a new mask.
        values = [*moved, *linear.updates]
        logits, _, _ = functional_call(classifier, values, inputs, linear.fuses)
        losses = losses_of(logits)
        meta_loss = global_mean(losses)
        if scale is not None:
            meta_loss *= tf.cast(scale, meta_loss.dtype)
    gradient = tape.gradient(meta_loss, virtual, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    if scale is not None:
        # An embedding's gradient comes as `IndexedSlices`.
        gradient = [tf.convert_to_tensor(u) / tf.cast(scale, u.dtype) for u in gradient]
    return gradient, losses
