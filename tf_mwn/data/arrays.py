"""Checks of the arrays that users hand over, before any training."""

from typing import Any

import numpy as np

from tf_mwn.checks import check_labels
from tf_mwn.data.images.files import ImageFiles


def check_array(what: str, array: Any) -> Any:
    """Returns an array of finite numbers with at least one row, or image files as they are.

    Args:
        what: What the array is called in a message.
        array: Anything `numpy.asarray` takes, or `ImageFiles`.

    Returns:
        [N, ...] array; float64 becomes float32, every other type stays.

    Raises:
        TypeError: The array holds objects or strings.
        ValueError: The array is empty, a scalar, or holds NaN or infinite values.
    """
    if isinstance(array, ImageFiles):
        return array
    array = np.asarray(array)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"expected {what} to hold numbers, received an array of {array.dtype}")
    if array.ndim == 0 or not len(array):
        raise ValueError(
            f"expected {what} to hold at least one example, received shape {list(array.shape)}"
        )
    if array.dtype.kind == "f":
        _check_finite(what, array)
    return array.astype(np.float32) if array.dtype == np.float64 else array


def _check_finite(what: str, array: np.ndarray) -> None:
    finite = np.isfinite(array).reshape(len(array), -1).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        raise ValueError(f"expected {what} to be finite, received NaN or infinity in row {row}")


def check_targets(what: str, labels: Any) -> np.ndarray:
    """Returns the labels of a training set.

    Args:
        what: What the labels are called in a message.
        labels: [N] integers of 0 or more, or [N, C] one-hot (or soft) floats with C > 1.

    Returns:
        [N] int64 or [N, C] float32.

    Raises:
        TypeError: Labels that are neither.
        ValueError: Labels of another shape, negative ones, or rows that do not sum to 1.
    """
    labels = np.asarray(labels)
    if labels.ndim != 2 or labels.shape[1] < 2:
        return check_labels(what, labels)
    if labels.dtype.kind != "f":
        raise TypeError(
            f"expected {what} of shape [N, C] to be one-hot floats, received {labels.dtype} "
            f"(use integers of shape [N], or labels.astype('float32'))"
        )
    if not (np.all(labels >= 0) and np.allclose(labels.sum(axis=1), 1.0, atol=1e-3)):
        raise ValueError(
            f"expected each row of {what} to be non-negative and to sum to 1, "
            f"received sums from {labels.sum(axis=1).min():g} to {labels.sum(axis=1).max():g}"
        )
    return labels.astype(np.float32)


def check_lengths(**arrays: np.ndarray) -> int:
    """Returns the length that all the arrays share.

    Raises:
        ValueError: The lengths differ; the message gives each.
    """
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        received = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ValueError(f"expected arrays of one length, received {received}")
    return next(iter(lengths.values()))


def check_unique(what: str, sample_id: Any) -> np.ndarray:
    """Returns sample ids as int64 [N].

    Raises:
        TypeError: The ids are no integers.
        ValueError: The ids are not of rank 1, negative, or one is there twice.
    """
    sample_id = check_labels(what, sample_id)
    values, counts = np.unique(sample_id, return_counts=True)
    if np.any(counts > 1):
        raise ValueError(f"expected unique {what}, received {values[counts > 1][0]} more than once")
    return sample_id
