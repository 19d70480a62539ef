"""Whether labels fit the logits and the loss, and what they stand for."""

import dataclasses
from collections.abc import Iterable

import tensorflow as tf

from tf_mwn.losses.per_example import OutputLoss
from tf_mwn.training.checks.losses import CLASSES, LabelRange, check_loss
from tf_mwn.training.checks.outputs import LogitsSpec


def check_labels(
    loss: OutputLoss, name: str, labels: tf.TensorSpec, logits: LogitsSpec
) -> LabelRange:
    """Checks the kind of labels, and tries the loss on them; what the loss takes of them.

    Args:
        loss: of `per_example_loss`.
        name: of the labels, for messages.
        labels: of a batch: class numbers [B, ..] or distributions [B, .., C].
        logits: [B, C], or [B, .., C] with outputs at positions, or [B].

    Raises:
        ValueError: shapes or types that do not fit, or a loss that `check_loss` refuses.
    """
    shape, classes, positions = labels.shape, logits.classes, logits.shape[:-1]
    numbered = shape.rank == 1 + len(positions)
    _check_shape(name, labels, logits)
    if classes > 1 and not numbered and shape[-1] == 1:
        axes = ", ".join(":" * (shape.rank - 1))
        raise ValueError(
            f"fit: expected {name} in shape {_text(positions)}, received {_text(shape[1:])}; "
            f"take {name}[{axes}, 0] of it"
        )
    if classes > 1 and not numbered and shape[-1] not in (classes, None):
        raise ValueError(
            f"fit: expected one-hot labels of the {classes} classes of the classifier, "
            f"received {shape[-1]} columns"
        )
    if classes > 1 and numbered and not labels.dtype.is_integer:
        raise ValueError(
            f"fit: expected {name} to be integers of shape {_text(positions)} or floats of shape "
            f"{_text(logits.shape)}, received {labels.dtype.name} of shape {_text(positions)}; "
            "cast class numbers to int64"
        )
    row = tf.TensorSpec([None] if numbered else [None, classes], labels.dtype)
    found = check_loss(loss, row, classes)
    if loss.weight_per == "output" and not positions and (found.kind == CLASSES or classes == 1):
        raise ValueError(
            "weight_per: expected 'example' where an example has one output, received 'output'; "
            "logits [B, T, C] have several, and logits [B, K] under a loss that is the mean of its "
            "columns"
        )
    return dataclasses.replace(found, numbered=numbered and classes > 1)


def _check_shape(name: str, labels: tf.TensorSpec, logits: LogitsSpec) -> None:
    shape, positions = labels.shape, logits.shape[:-1]
    fits = shape.rank in (1 + len(positions), 2 + len(positions))
    if fits and shape[1 : 1 + len(positions)].is_compatible_with(positions):
        return
    raise ValueError(
        f"fit: expected {name} in shape {_text(positions)} or "
        f"{_text((*positions, logits.classes))}, received shape {_text(shape[1:])}"
    )


def _text(shape: Iterable[int | None]) -> str:
    return "[" + ", ".join(["B", *("T" if size is None else str(size) for size in shape)]) + "]"


def has_classes(found: LabelRange, logits: LogitsSpec) -> bool:
    """Whether an example has one label, of classes that exclude each other."""
    return found.kind == CLASSES and len(logits.shape) < 2
