"""One value per example from whatever loss a user passes to `compile`."""

from collections.abc import Callable

import keras
import tensorflow as tf

from tf_mwn.losses.cross_entropy import cross_entropy


def per_example_loss(loss=None) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """The function (labels, logits [B, C]) -> [B] behind a `loss` argument.

    Args:
        loss: None for cross-entropy from logits (class numbers or one-hot labels); a
            `keras.losses.Loss`, whose reduction is ignored; or a function that already returns
            one value per example.

    Raises:
        TypeError: a name, which cannot say that the classifier returns logits.
        ValueError: a loss that expects probabilities (`from_logits=False`).
    """
    if loss is None:
        return cross_entropy
    if isinstance(loss, keras.losses.Loss):
        if loss.get_config().get("from_logits") is False:
            raise ValueError(
                f"loss: expected a loss on logits, received {type(loss).__name__} with "
                "from_logits=False; pass from_logits=True"
            )
        return loss.call
    if callable(loss):
        return loss
    raise TypeError(
        "loss: expected None, a keras.losses.Loss with from_logits=True or a function "
        f"(labels, logits) -> one value per example, received {loss!r}"
    )
