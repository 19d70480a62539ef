"""Checks that several modules share; each failure is one sentence."""

import difflib
from collections.abc import Iterable

import numpy as np


def unknown_name(kind: str, name: str, valid: Iterable[str]) -> str:
    """ "unknown method 'x': expected one of a, b; did you mean ...?" """
    valid = sorted(valid)
    near = difflib.get_close_matches(str(name), valid, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{kind}: expected one of {', '.join(valid)}, received {name!r}{hint}"


def check_name(what: str, name: str, valid: Iterable[str]) -> str:
    """Returns `name` if it is one of `valid`.

    Args:
        what: What the name stands for, as the message calls it.
        name: The name received.
        valid: The names there are.

    Raises:
        ValueError: The name is unknown; the message lists the valid ones and suggests the nearest.
    """
    valid = tuple(valid)
    if name in valid:
        return name
    raise ValueError(unknown_name(what, name, valid))


def check_integer(what: str, value: int, smallest: int) -> int:
    """Returns `value` as an int of at least `smallest`.

    Raises:
        TypeError: `value` is no integer.
        ValueError: `value` is below `smallest`.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"expected {what} to be an integer, received {value!r}")
    if value < smallest:
        raise ValueError(f"expected {what} to be at least {smallest}, received {value}")
    return int(value)


def check_labels(what: str, labels: np.ndarray, num_classes: int | None = None) -> np.ndarray:
    """Returns class labels as int64 [N].

    Args:
        what: What the labels are called in a message.
        labels: [N] integers, 0 or more, and below `num_classes` if that is given.
        num_classes: Number of classes C.

    Raises:
        TypeError: The labels are no integers.
        ValueError: The labels are not of rank 1, negative or out of range.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1:
        hint = " (use labels[:, 0])" if labels.ndim == 2 and labels.shape[1] == 1 else ""
        raise ValueError(f"expected {what} of shape [N], received {list(labels.shape)}{hint}")
    if labels.dtype.kind in "OSU":
        raise TypeError(
            f"expected {what} to be integers, received {labels[:1].tolist()[0]!r}; number the "
            "classes: names, y = np.unique(y, return_inverse=True)"
        )
    if not np.issubdtype(labels.dtype, np.integer):
        raise TypeError(f"expected {what} to be integers, received {labels.dtype}")
    labels = labels.astype(np.int64)
    if labels.size and labels.min() < 0:
        raise ValueError(f"expected {what} to be 0 or more, received {labels.min()}")
    if num_classes is not None and labels.size and labels.max() >= num_classes:
        raise ValueError(
            f"expected {what} to be below the number of classes {num_classes}, "
            f"received {labels.max()}"
        )
    return labels
