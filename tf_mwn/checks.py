"""Every check of a count, a range, a name or an array; each failure is one sentence.

"name: expected ..., received ...": a TypeError for the wrong type, else a ValueError.
"""

import dataclasses
import difflib
import math
import numbers
from collections.abc import Iterable

import numpy as np


@dataclasses.dataclass(frozen=True)
class Interval:
    """A real interval.

    Attributes:
        low: the lower end.
        high: the upper end; may be infinite, in which case it never belongs to the interval.
        has_low: whether `low` belongs to the interval.
        has_high: whether `high` belongs to the interval.
    """

    low: float
    high: float = math.inf
    has_low: bool = True
    has_high: bool = True

    def __contains__(self, value: float) -> bool:
        above = value >= self.low if self.has_low else value > self.low
        below = value <= self.high if self.has_high else value < self.high
        return above and below and math.isfinite(value)

    def __str__(self) -> str:
        closed_high = self.has_high and math.isfinite(self.high)
        left, right = "(["[self.has_low], ")]"[closed_high]
        return f"{left}{self.low:g}, {self.high:g}{right}"

    def check(self, name: str, value: float) -> float:
        """Returns `value` as a Python float.

        Raises:
            TypeError: `value` is no real number.
            ValueError: `value` is outside; the message names the interval.
        """
        if isinstance(value, bool) or not isinstance(value, (numbers.Real, np.number)):
            raise TypeError(f"{name}: expected a number in {self}, received {value!r}")
        if float(value) not in self:
            raise ValueError(f"{name}: expected a value in {self}, received {value}")
        return float(value)


POSITIVE = Interval(0, has_low=False)
NON_NEGATIVE = Interval(0)
NEGATIVE = Interval(-math.inf, 0, has_low=False, has_high=False)
UNIT = Interval(0, 1)
FRACTION = Interval(0, 1, has_low=False)
BELOW_ONE = Interval(0, 1, has_high=False)
OPEN_UNIT = Interval(0, 1, has_low=False, has_high=False)
AT_LEAST_ONE = Interval(1)


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


def check_bool(name: str, value: bool) -> bool:
    """Returns `value`; TypeError if it is no bool."""
    if not isinstance(value, bool):
        raise TypeError(f"{name}: expected a bool, received {value!r}")
    return value


def check_count(name: str, value: int, least: int = 1) -> int:
    """Returns `value` as an int of at least `least`.

    Raises:
        TypeError: `value` is no integer.
        ValueError: `value` is below `least`.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name}: expected an integer of at least {least}, received {value!r}")
    if value < least:
        raise ValueError(f"{name}: expected an integer of at least {least}, received {value}")
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


def check_class_counts(value) -> list[float]:
    """Returns the class counts as a list of floats, each of 1 or more.

    Raises:
        ValueError: not of shape [C] with C >= 2, or a count below 1 or not finite.
    """
    counts = np.asarray(value, dtype=np.float64)
    if counts.ndim != 1 or counts.size < 2:
        raise ValueError(
            "class_counts: expected one count for each of at least 2 classes, "
            f"received shape {list(counts.shape)}"
        )
    if not (np.isfinite(counts).all() and counts.min() >= 1):
        raise ValueError(f"class_counts: expected values in [1, inf), received {counts.min():g}")
    return counts.tolist()


def check_transition_matrix(value, invertible: bool = False) -> list[list[float]]:
    """Returns T as nested lists; T[i, j] = P(label j given true class i).

    Raises:
        ValueError: T is not square, has a negative entry or a row that does not sum to 1 within
            1e-4, or, where asked for, cannot be inverted (condition number above 1e8).
    """
    matrix = np.asarray(value, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] < 2:
        raise ValueError(f"transition_matrix: expected shape [C, C], received {list(matrix.shape)}")
    if not (matrix.min() >= 0 and np.allclose(matrix.sum(axis=1), 1, atol=1e-4)):
        raise ValueError(
            "transition_matrix: expected rows of probabilities that sum to 1, received row sums "
            f"{matrix.sum(axis=1)} and least entry {matrix.min():g}"
        )
    if invertible and not np.linalg.cond(matrix) < 1e8:
        raise ValueError(
            "transition_matrix: expected an invertible matrix, received one of condition number "
            f"{np.linalg.cond(matrix):.3g}"
        )
    return matrix.tolist()
