"""One value per example, or per output, from whatever loss a user passes to `compile`."""

import functools
import inspect
from collections.abc import Callable, Hashable
from typing import Any

import keras
import tensorflow as tf

from tf_mwn.checks import check_name
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.losses.outputs import Outputs
from tf_mwn.losses.trial import is_mean_of_columns, is_per_example
from tf_mwn.tensors import Labels, Logits, Losses

# What has a weight of its own.
WEIGHT_PER = ("example", "output")

Function = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
# What a loss raises for labels of a type that does not go with the logits, or of a wrong shape.
_REFUSALS = (TypeError, ValueError, tf.errors.InvalidArgumentError)


def per_example_loss(
    loss: Any = None, weight_per: str = "example", ignore_class: int | None = None
) -> "OutputLoss":
    """The function (labels, logits) -> [N] behind a `loss` argument.

    Args:
        loss: None for cross-entropy from logits (class numbers or one-hot labels); a name that
            Keras knows, such as "mse", which stands for the loss on logits where there are two; a
            `keras.losses.Loss`, whose reduction is ignored; or a function that already returns
            one value per example. Labels [B] of one logit [B, 1] become [B, 1], and integers
            become floats, as in Keras, if the loss needs them so.
        weight_per: "example" or "output", see `OutputLoss`.
        ignore_class: the label of outputs that count nowhere; None for that of the loss, if any.

    Raises:
        TypeError: an object of another kind.
        ValueError: an unknown name, a loss that expects probabilities (`from_logits=False`), or
            two labels that are to be ignored.
    """
    check_name("weight_per", weight_per, WEIGHT_PER)
    if loss is None:
        return OutputLoss(cross_entropy, weight_per, ignore_class)
    if isinstance(loss, str):
        return OutputLoss(_named(loss), weight_per, ignore_class)
    if isinstance(loss, keras.losses.Loss):
        config = loss.get_config()
        if config.get("from_logits") is False:
            raise ValueError(
                f"loss: expected a loss on logits, received {type(loss).__name__} with "
                "from_logits=False; pass from_logits=True"
            )
        own = config.get("ignore_class")
        if None not in (own, ignore_class) and own != ignore_class:
            raise ValueError(
                f"ignore_class: expected {own}, that of the loss, received {ignore_class}"
            )
        return OutputLoss(loss.call, weight_per, own if ignore_class is None else ignore_class)
    if callable(loss):
        return OutputLoss(loss, weight_per, ignore_class)
    raise TypeError(
        "loss: expected None, a name, a keras.losses.Loss with from_logits=True or a function "
        f"(labels, logits) -> one value per example, received {loss!r}"
    )


def _named(name: str) -> Callable[[Labels, Logits], Losses]:
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


class OutputLoss:
    """(labels, logits) -> a loss for each example, or for each of its outputs.

    Logits [B], [B, C] with one label per example: the values are the losses [B]. Logits [B, T, C]
    or [B, H, W, C] have one output at each position; the labels are class numbers [B, T], or
    distributions like the logits. Logits [B, K] with labels [B, K] have K outputs if the loss is
    the mean of its columns, such as `keras.losses.BinaryCrossentropy`.

    Args:
        function: (labels, logits [N, C]) -> [N], or more axes, whose mean is taken.
        weight_per: "example": an example's loss is the mean over its valid outputs. "output": each
            valid output has a loss of its own.
        ignore_class: the label of outputs that are not valid. They are left out, and so are
            examples without a valid one: the result is shorter.
    """

    def __init__(
        self, function: Function, weight_per: str = "example", ignore_class: int | None = None
    ):
        self.weight_per, self.ignore_class = weight_per, ignore_class
        self._function = function
        self._known: dict[Any, Any] = {}

    def __call__(self, labels: Labels, logits: Logits) -> Losses:
        outputs = self.outputs(labels, logits)
        if outputs is None:
            return self.of_rows(labels, logits)
        losses = self.of_rows(outputs.row_labels, outputs.row_logits)
        return losses if self.weight_per == "output" else outputs.mean_of_examples(losses)

    def outputs(self, labels: Labels, logits: Logits) -> Outputs | None:
        """The outputs of a batch; None where each example is the one output of itself."""
        labels, logits = tf.convert_to_tensor(labels), tf.convert_to_tensor(logits)
        wants = self.weight_per == "output" or self.ignore_class is not None
        splits = wants and self.splits(labels, logits)
        if logits.shape.rank == 2 and not splits and self.ignore_class is None:
            return None
        return Outputs(labels, logits, splits, self.ignore_class)

    @property
    def has_columns(self) -> bool:
        """Whether the loss of labels and logits [B, K] is the mean of K losses of one column."""
        return self._once(("columns", tf.float32), lambda: self._has_columns(tf.float32))

    def splits(self, labels: Labels, logits: Logits) -> bool:
        """Whether the columns of logits [B, K] are outputs of their own, with labels [B, K]."""
        if logits.shape.rank != 2 or labels.shape.rank != 2 or labels.shape[1] == 1:
            return False
        return self._once(("columns", labels.dtype), lambda: self._has_columns(labels.dtype))

    def of_rows(self, labels: Labels, logits: Logits) -> Losses:
        """The loss [N] of rows of labels and logits [N, C], each by itself."""
        labels, logits = tf.convert_to_tensor(labels), tf.convert_to_tensor(logits)
        if self._function is not cross_entropy:  # which takes labels of any rank
            labels = self._fitting(labels, logits)
        losses = self._losses(labels, logits)
        rank = getattr(losses, "shape", tf.TensorShape(None)).rank
        return tf.reduce_mean(losses, axis=range(1, rank)) if (rank or 0) > 1 else losses

    def _losses(self, labels: Labels, logits: Logits) -> Losses:
        """The function of labels and logits as they are; of both as Keras casts them, if need be.

        Class numbers stay integers for a loss that takes them.
        """
        try:
            return self._function(labels, logits)
        except _REFUSALS as refusal:
            dtype = tf.float64 if logits.dtype == tf.float64 else tf.float32
            if labels.dtype == logits.dtype == dtype:
                raise
            try:
                return self._function(tf.cast(labels, dtype), tf.cast(logits, dtype))
            except _REFUSALS:
                raise refusal from None

    def _fitting(self, labels: Labels, logits: Logits) -> Labels:
        """Labels of the rank that the loss needs: those of one logit are [N] or [N, 1].

        With the wrong one, labels [N] and logits [N, 1] broadcast to [N, N].
        """
        if logits.shape.rank != 2 or logits.shape[1] != 1:
            return labels
        if labels.shape.rank != 1 and labels.shape[1:] != [1]:
            return labels
        given, kind = labels.shape.rank, labels.dtype
        rank = self._once((given, kind), lambda: self._rank(given, kind, logits.dtype))
        return tf.reshape(labels, [-1, 1][:rank])

    def _once(self, key: Hashable, trial: Callable[[], Any]) -> Any:
        if key not in self._known:
            with tf.init_scope():  # the trial needs values, also where a step is traced
                self._known[key] = trial()
        return self._known[key]

    def _has_columns(self, label: tf.DType) -> bool:
        return self._function is not cross_entropy and is_mean_of_columns(self.of_rows, label)

    def _rank(self, given: int, label: tf.DType, logit: tf.DType) -> int:
        """The rank of labels with which the loss depends on each example alone."""
        logits = tf.constant([[0.3], [-1.2], [2.1]], logit)
        for rank in (given, 3 - given):
            labels = tf.reshape(tf.constant([0, 1, 1], label), [-1, 1][:rank])
            if is_per_example(self._mean_over_rest, labels, logits):
                return rank
        return given

    def _mean_over_rest(self, labels: Labels, logits: Logits) -> Losses:
        losses = tf.convert_to_tensor(self._losses(labels, logits))
        return tf.reshape(losses, [-1]) if losses.shape[1:] == [1] else losses
