"""Labels and logits in the form the losses compute with."""

from typing import NoReturn

import tensorflow as tf

from tf_mwn.tensors import HyperParameter, Labels, Logits, Tensor


def as_logits(logits: Logits) -> Logits:
    """Logits [.., C] in at least float32; C must be known.

    Raises:
        ValueError: a scalar, or an unknown rank or number of classes.
    """
    logits = tf.convert_to_tensor(logits)
    if not logits.shape.rank or logits.shape[-1] is None:
        raise ValueError(f"logits: expected shape [.., C] with known C, received {logits.shape}")
    return logits if logits.dtype == tf.float64 else tf.cast(logits, tf.float32)


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
    """
    labels = tf.convert_to_tensor(labels)
    numbers = class_numbers(labels, logits)
    if numbers is None:
        target = tf.cast(labels, logits.dtype)
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


def _refuse_shape(labels: Labels, logits: Logits) -> NoReturn:
    raise ValueError(
        "labels: expected class numbers of shape [..] or distributions of shape [.., C] for "
        f"logits of shape [.., C] = {logits.shape}, received {labels.shape}"
    )
