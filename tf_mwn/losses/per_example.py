"""One value per example from whatever loss a user passes to `compile`."""

import functools
import inspect
from collections.abc import Callable

import keras
import tensorflow as tf

from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.losses.trial import is_per_example


def per_example_loss(loss=None) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """The function (labels, logits [B, C]) -> [B] behind a `loss` argument.

    Args:
        loss: None for cross-entropy from logits (class numbers or one-hot labels); a name that
            Keras knows, such as "mse", which stands for the loss on logits where there are two; a
            `keras.losses.Loss`, whose reduction is ignored; or a function that already returns
            one value per example. Labels [B] of one logit [B, 1] become [B, 1], as in Keras, if
            the loss needs them so.

    Raises:
        TypeError: an object of another kind.
        ValueError: an unknown name, or a loss that expects probabilities (`from_logits=False`).
    """
    if loss is None:
        return cross_entropy
    if isinstance(loss, str):
        return _PerExample(_named(loss))
    if isinstance(loss, keras.losses.Loss):
        if loss.get_config().get("from_logits") is False:
            raise ValueError(
                f"loss: expected a loss on logits, received {type(loss).__name__} with "
                "from_logits=False; pass from_logits=True"
            )
        return _PerExample(loss.call)
    if callable(loss):
        return _PerExample(loss)
    raise TypeError(
        "loss: expected None, a name, a keras.losses.Loss with from_logits=True or a function "
        f"(labels, logits) -> one value per example, received {loss!r}"
    )


def _named(name: str) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """The function of Keras behind a name; on logits, where it can be one of probabilities too.

    Classifiers that put out probabilities are refused, so that the name cannot mean the other one.
    """
    try:
        loss = keras.losses.get(name)
    except ValueError:
        raise ValueError(f"loss: expected a loss that Keras knows, received {name!r}") from None
    if isinstance(loss, keras.losses.Loss):
        config = loss.get_config()
        if "from_logits" in config:
            loss = type(loss).from_config({**config, "from_logits": True})
        return loss.call
    if "from_logits" in inspect.signature(loss).parameters:
        return functools.partial(loss, from_logits=True)
    return loss


class _PerExample:
    """A loss whose labels have the rank it needs: those of one logit are [B] or [B, 1].

    With the wrong one, labels [B] and logits [B, 1] broadcast to [B, B].
    """

    def __init__(self, function: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]):
        self._function, self._ranks = function, {}

    def __call__(self, labels, logits):
        labels, logits = tf.convert_to_tensor(labels), tf.convert_to_tensor(logits)
        if logits.shape.rank != 2 or logits.shape[1] != 1:
            return self._function(labels, logits)
        if labels.shape.rank != 1 and labels.shape[1:] != [1]:
            return self._function(labels, logits)
        given, kind = labels.shape.rank, labels.dtype
        if (given, kind) not in self._ranks:
            with tf.init_scope():  # the trial needs values, also where a step is traced
                self._ranks[given, kind] = self._rank(given, kind, logits.dtype)
        shape = [-1, 1][: self._ranks[given, kind]]
        return self._function(tf.reshape(labels, shape), logits)

    def _rank(self, given: int, label: tf.DType, logit: tf.DType) -> int:
        """The rank of labels with which the loss depends on each example alone."""
        logits = tf.constant([[0.3], [-1.2], [2.1]], logit)
        for rank in (given, 3 - given):
            labels = tf.reshape(tf.constant([0, 1, 1], label), [-1, 1][:rank])
            if is_per_example(self._function, labels, logits):
                return rank
        return given
