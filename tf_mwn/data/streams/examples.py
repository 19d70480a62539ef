"""Checks of example sets: nested inputs with their labels, and a training set with a meta set."""

from typing import Any

import numpy as np
import tensorflow as tf

from tf_mwn.checks import (
    check_array,
    check_count,
    check_lengths,
    check_outputs,
    check_unique,
)
from tf_mwn.data.images.files import ImageFiles
from tf_mwn.data.subset import Subset


def check_examples(x_name: str, x: Any, y_name: str, y: Any) -> tuple[Any, np.ndarray]:
    """Returns inputs (one array, or a tuple or dict of arrays) and labels of one length, checked.

    Inputs may be text, for a classifier that takes it.

    Raises:
        TypeError, ValueError: see `check_array`, `check_outputs` and `check_lengths`.
    """
    if isinstance(x, list):
        raise TypeError(f"{x_name}: expected an array, a tuple or a dict, received a list")

    def check(part):
        return part if isinstance(part, ImageFiles) or is_text(part) else check_array(x_name, part)

    x = tf.nest.map_structure(check, x)
    y = check_outputs(y_name, y)
    for part in tf.nest.flatten(x):
        check_lengths(**{x_name: part, y_name: y})
    return x, y


def is_text(part: Any) -> bool:
    """Whether `part` is an array or a tensor of strings."""
    if isinstance(part, tf.Tensor):
        return part.dtype == tf.string
    part = np.asarray(part)
    if part.dtype.kind == "O":
        return part.size > 0 and all(isinstance(text, (str, bytes)) for text in part.flat)
    return part.dtype.kind in "SU"


def check_pair(train: Subset, meta: Subset | None) -> tuple[Subset, Subset | None]:
    """Returns the training and the meta set, each checked, and their shapes compared.

    Raises:
        TypeError, ValueError: see `check_examples`; or examples of different shapes, or training
            ids that are not unique.
    """
    x, label = check_examples("x", train.x, "y", train.label)
    sample_id = check_unique("sample_id", train.sample_id)
    check_lengths(y=label, sample_id=sample_id)
    train = Subset(x, label, None, sample_id)
    if meta is not None:
        x, label = check_examples("x_meta", meta.x, "y_meta", meta.label)
        meta = Subset(x, label, None, meta.sample_id)
        _check_match(train, meta)
    return train, meta


def _check_match(train: Subset, meta: Subset) -> None:
    """Checks that meta examples look like training examples."""

    def shapes(subset):
        return tf.nest.map_structure(lambda array: list(array.shape[1:]), (subset.x, subset.label))

    if shapes(train) != shapes(meta):
        raise ValueError(
            f"x_meta, y_meta: expected the shapes of x and y, {shapes(train)}, "
            f"received {shapes(meta)}"
        )


def check_meta_batch_size(
    meta: Subset | None, batch_size: int, meta_batch_size: int | None
) -> int | None:
    """Returns the meta batch size, checked against the meta set."""
    if meta is None:
        return None
    if meta_batch_size is None:
        return min(batch_size, len(meta))
    return check_count("meta_batch_size", meta_batch_size, 1, len(meta), "meta examples")
