"""Labels and logits in the form the losses compute with."""

from typing import NoReturn

import tensorflow as tf

from tf_mwn.tensors import HyperParameter, Labels, Logits, Tensor

# Stands for a logit of -inf: its probability is 0, and its cube is finite in float32. Products such
# as 0 ln 0 in the losses and their derivatives are 0 then, and not NaN.
_MASKED = -1e12


def as_logits(logits: Logits) -> Logits:
    """Logits [.., C] in at least float32, finite for a class that -inf masks; C must be known.

    Raises:
        ValueError: a scalar, or an unknown rank or number of classes.
    """
    logits = tf.convert_to_tensor(logits)
    if not logits.shape.rank or logits.shape[-1] is None:
        raise ValueError(f"logits: expected shape [.., C] with known C, received {logits.shape}")
    logits = logits if logits.dtype == tf.float64 else tf.cast(logits, tf.float32)
    return tf.where(logits < logits.dtype.min, tf.constant(_MASKED, logits.dtype), logits)


def hyper_parameter(value: HyperParameter, dtype: tf.DType) -> Tensor:
    """A float, list, array, tensor or variable as a tensor of `dtype`; gradients pass through."""
    # A Python float must not go through float32 on its way to float64.
    return tf.cast(value, dtype) if tf.is_tensor(value) else tf.constant(value, dtype)


def target_distribution(labels: Labels, logits: Logits) -> Tensor:
    """The labels as distributions over the classes.

    Args:
        labels: class numbers of shape [..] or [.., 1], in any integer or float dtype; or one-hot
            or soft labels of shape [.., C].
        logits: [.., C].

    Returns:
        [.., C] in the dtype of `logits`. A class number outside [0, C) gives a row of NaN, so
        that the loss of that example is NaN on every device.

    Raises:
        ValueError: `labels` has none of these shapes.
        tf.errors.InvalidArgumentError: the same, of a shape that is not known before it runs.
    """
    labels = tf.convert_to_tensor(labels)
    numbers = class_numbers(labels, logits)
    if numbers is None:
        target = tf.cast(_of_all_classes(labels, logits.shape[-1]), logits.dtype)
    else:
        target = tf.one_hot(numbers, logits.shape[-1], dtype=logits.dtype)
        known = (numbers >= 0) & (numbers < logits.shape[-1])
        # 0/0: a constant NaN would stop every step under `tf.debugging.enable_check_numerics`.
        target /= tf.cast(known, target.dtype)[..., tf.newaxis]
    if not target.shape.is_compatible_with(logits.shape):
        _refuse_shape(labels, logits)
    return target


def class_numbers(labels: Labels, logits: Logits) -> Tensor | None:
    """The labels as int32 [..]; None if they are distributions [.., C].

    Raises:
        ValueError: the rank of `labels` fits neither.
    """
    labels = tf.convert_to_tensor(labels)
    rank, classes = logits.shape.rank, logits.shape[-1]
    if labels.shape.rank is not None and labels.shape.rank == rank - 1:
        return tf.cast(labels, tf.int32)
    if labels.shape.rank != rank:
        _refuse_shape(labels, logits)
    if labels.shape[-1] == 1 and classes != 1:
        return tf.cast(labels[..., 0], tf.int32)
    return None


def _of_all_classes(labels: Labels, classes: int) -> Labels:
    """Distributions [.., C]; where C is unknown until it is computed, it is compared then."""
    if labels.shape[-1] is not None:
        return labels
    columns = tf.shape(labels)[-1]
    text = f"labels: expected distributions over {classes} classes, received the size"
    asserted = tf.debugging.Assert(columns == classes, [text, columns])
    with tf.control_dependencies([asserted]):
        return tf.ensure_shape(labels, [*labels.shape[:-1], classes])  # the one that XLA keeps


def _refuse_shape(labels: Labels, logits: Logits) -> NoReturn:
    raise ValueError(
        "labels: expected class numbers of shape [..] or distributions of shape [.., C] for "
        f"logits of shape [.., C] = {logits.shape}, received {labels.shape}"
    )
