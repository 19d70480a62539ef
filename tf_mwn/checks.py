"""Checks of counts, ranges, names and arrays.

A failure is one sentence, "name: expected ..., received ...". It is a TypeError for a wrong type,
and a ValueError otherwise.
"""

import dataclasses
import difflib
import math
import numbers
import os
from collections.abc import Iterable
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class Interval:
    """A real interval.

    Attributes:
        low: the lower end.
        high: the upper end; an infinite one never belongs to the interval.
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
            TypeError: `value` is not a real number.
            ValueError: `value` is outside the interval; the message states the interval.
        """
        if isinstance(value, bool) or not isinstance(value, (numbers.Real, np.number)):
            raise TypeError(f"{name}: expected a number in {self}, received {value!r}")
        if float(value) not in self:
            raise ValueError(f"{name}: expected a value in {self}, received {value}")
        return float(value)


_SAMPLE = 10_000  # rows
_LARGEST = float(np.finfo(np.float32).max) / 4  # differences of two are finite
_RANGES = ((0.1, 0.9), (0.25, 0.75), (0.5, 0.9), (0.1, 0.5), (0.7, 0.95))  # quantiles
_DIGITS = 1e-2  # the largest change of a value in float32, relative to the spread of its column
_NOISE = 1e-14  # a column of less relative spread is a constant with rounding errors
POSITIVE = Interval(0, has_low=False)
NON_NEGATIVE = Interval(0)
NEGATIVE = Interval(-math.inf, 0, has_low=False, has_high=False)
UNIT = Interval(0, 1)
FRACTION = Interval(0, 1, has_low=False)
BELOW_ONE = Interval(0, 1, has_high=False)
OPEN_UNIT = Interval(0, 1, has_low=False, has_high=False)
AT_LEAST_ONE = Interval(1)


def unknown_name(kind: str, name: str, valid: Iterable[str]) -> str:
    """ "method: expected one of a, b, received 'x'; did you mean ...?" """
    valid = sorted(valid)
    near = difflib.get_close_matches(str(name), valid, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{kind}: expected one of {', '.join(valid)}, received {name!r}{hint}"


def check_name(what: str, name: str, valid: Iterable[str]) -> str:
    """Returns `name`; ValueError if it is not in `valid`. The message suggests the nearest."""
    valid = tuple(valid)
    if name not in valid:
        raise ValueError(unknown_name(what, name, valid))
    return name


def check_bool(name: str, value: bool) -> bool:
    """Returns `value`; TypeError if it is not a bool."""
    if not isinstance(value, bool):
        raise TypeError(f"{name}: expected a bool, received {value!r}")
    return value


def check_count(
    name: str, value: int, least: int = 1, most: int | None = None, counted: str = "examples"
) -> int:
    """Returns `value` as an int in [`least`, `most`]; messages name what is `counted`.

    Raises:
        TypeError: `value` is not an integer.
        ValueError: `value` is below `least` or above `most`.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name}: expected an integer of at least {least}, received {value!r}")
    if value < least:
        raise ValueError(f"{name}: expected an integer of at least {least}, received {value}")
    if most is not None and value > most:
        raise ValueError(f"{name}: expected at most {most} {counted}, received {value}")
    return int(value)


def check_together(**values: Any) -> None:
    """Checks that either all values are given or all are None; ValueError if not."""
    missing = [name for name, value in values.items() if value is None]
    given = [name for name in values if name not in missing]
    if missing and given:
        raise ValueError(f"{missing[0]}: expected together with {given[0]}, received none")


def check_file(name: str, path: str, suffixes: tuple[str, ...]) -> str:
    """Returns the suffix of a file in lower case.

    Raises:
        ValueError: the suffix is not one of `suffixes`, or the file does not exist.
    """
    suffix = os.path.splitext(path)[1].lower()
    gone = "" if os.path.isfile(path) else ", which does not exist"
    if gone or suffix not in suffixes:
        ends = " or ".join(suffixes)
        raise ValueError(f"{name}: expected a file that ends in {ends}, received {path}{gone}")
    return suffix


def check_array(what: str, array: Any) -> np.ndarray:
    """Returns an array [N, ...] of finite numbers, N > 0; float64 becomes float32.

    Raises:
        TypeError: the array holds objects or strings.
        ValueError: the array is empty, a scalar, holds NaN or infinite values, or values that
            float32 cannot tell apart.
    """
    array = np.asarray(array)
    if array.dtype.kind not in "biuf":
        cure = ""
        if array.dtype.kind in "OSU":
            cure = "; make numbers of text columns, by keras.layers.StringLookup for example"
        raise TypeError(f"{what}: expected numbers, received an array of {array.dtype}{cure}")
    if array.ndim == 0 or not len(array):
        raise ValueError(
            f"{what}: expected at least one example, received shape {list(array.shape)}"
        )
    finite = np.isfinite(array).reshape(len(array), -1).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        raise ValueError(f"{what}: expected finite values, received NaN or infinity in row {row}")
    if array.dtype.itemsize < 4 or array.dtype == np.float32 or not array.size:
        return array
    _check_digits(what, array)
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def _check_digits(what: str, array: np.ndarray) -> None:
    """Refuses values that change in float32, in which networks compute.

    Of each column, or channel, the change is compared with the ranges of parts of its values, so
    that values far away, such as a 0 for a missing time, do not hide it. A sample of rows is read.
    """
    rows = np.linspace(0, len(array) - 1, min(len(array), _SAMPLE)).astype(int)
    if array.dtype.kind == "f":
        largest = max(abs(float(array.max())), abs(float(array.min())))
        if largest > _LARGEST:
            raise ValueError(
                f"{what}: expected values up to {_LARGEST:.2g}, which float32 holds, "
                f"received {largest:.3g}"
            )
    wide = array[rows].reshape(-1, array.shape[-1] if array.ndim > 1 else 1).astype(np.float64)
    single = wide.astype(np.float32)
    single[np.abs(single) < np.finfo(np.float32).tiny] = 0  # as processors do
    change = np.abs(wide - single).max(axis=0)
    size = np.abs(wide).max(axis=0)
    points = np.quantile(wide, np.ravel(_RANGES), axis=0)
    ranges = np.concatenate([points[1::2] - points[::2], [np.ptp(wide, axis=0)]])
    spread = np.where(ranges > _NOISE * size, ranges, np.inf).min(axis=0)
    lost = np.flatnonzero(change > _DIGITS * spread)
    if lost.size:
        column = lost[0]
        raise ValueError(
            f"{what}: expected columns whose digits float32 keeps, received column {column} with "
            f"values near {wide[0, column]:.10g} that differ by {spread[column]:.3g} and change by "
            f"{change[column]:.3g}: subtract its mean, or scale it, before it is saved"
        )


def check_lengths(**arrays: Any) -> None:
    """Checks that all arrays have the same length; ValueError if not."""
    lengths = [len(array) for array in arrays.values()]
    if len(set(lengths)) > 1:
        received = ", ".join(map(str, lengths))
        raise ValueError(f"{', '.join(arrays)}: expected the same length, received {received}")


def check_labels(what: str, labels: Any, num_classes: int | None = None) -> np.ndarray:
    """Returns class labels [N] as int64.

    Raises:
        TypeError: the labels are not integers.
        ValueError: the labels are not of rank 1, or not in [0, `num_classes`).
    """
    labels = np.asarray(labels)
    if labels.ndim != 1:
        hint = " (use labels[:, 0])" if labels.ndim == 2 and labels.shape[1] == 1 else ""
        raise ValueError(f"{what}: expected shape [N], received {list(labels.shape)}{hint}")
    if labels.dtype.kind in "OSU":
        raise TypeError(
            f"{what}: expected integers, received {labels[:1].tolist()}; number the classes: "
            "names, y = np.unique(y, return_inverse=True)"
        )
    if not np.issubdtype(labels.dtype, np.integer):
        raise TypeError(f"{what}: expected integers, received {labels.dtype}")
    labels = labels.astype(np.int64)
    if labels.size and labels.min() < 0:
        raise ValueError(f"{what}: expected integers of at least 0, received {labels.min()}")
    if num_classes is not None and labels.size and labels.max() >= num_classes:
        raise ValueError(
            f"{what}: expected integers below the {num_classes} classes, received {labels.max()}"
        )
    return labels


def check_targets(what: str, labels: Any) -> np.ndarray:
    """Returns labels as int64 [N], or one-hot or soft labels as float32 [N, C] with C > 1.

    Raises:
        TypeError: the labels are neither integers [N] nor floats [N, C].
        ValueError: the shape is another, labels are negative, or rows do not sum to 1.
    """
    labels = np.asarray(labels)
    if labels.ndim != 2 or labels.shape[1] < 2:
        if labels.dtype.kind == "f" and not np.array_equal(labels, np.round(labels)):
            raise TypeError(
                f"{what}: expected integers, received {labels.dtype} with values such as "
                f"{labels.flat[0]:g}; methods weight examples of classes, not of a regression"
            )
        return check_labels(what, labels)
    if labels.dtype.kind != "f":
        raise TypeError(
            f"{what}: expected one-hot floats in shape [N, C], received {labels.dtype} "
            "(use integers of shape [N], or labels.astype('float32'))"
        )
    if not (np.all(labels >= 0) and np.allclose(labels.sum(axis=1), 1.0, atol=1e-3)):
        sums = labels.sum(axis=1)
        raise ValueError(
            f"{what}: expected rows of probabilities that sum to 1, "
            f"received sums from {sums.min():g} to {sums.max():g}"
        )
    return labels.astype(np.float32)


def check_sample_weight(what: str, weights: Any) -> np.ndarray:
    """Returns weights [N] of examples as float32.

    Raises:
        TypeError: the weights are not numbers.
        ValueError: another shape, or weights that are negative or not finite.
    """
    weights = np.asarray(weights)
    if weights.dtype.kind not in "biuf":
        raise TypeError(f"{what}: expected numbers, received an array of {weights.dtype}")
    if weights.ndim == 2 and weights.shape[1] == 1:
        weights = weights[:, 0]
    if weights.ndim != 1:
        raise ValueError(f"{what}: expected shape [N], received {list(weights.shape)}")
    if weights.size and not (np.isfinite(weights).all() and weights.min() >= 0):
        raise ValueError(f"{what}: expected values in [0, inf), received {weights.min()}")
    return weights.astype(np.float32)


def check_outputs(what: str, labels: Any) -> np.ndarray:
    """Returns labels of any task: integers as int64, floats as float32, [N] or [N, ..].

    Class numbers [N] are at least 0. What else the labels must be, the loss decides.

    Raises:
        TypeError: labels that are no numbers.
        ValueError: no axis, NaN or infinity, or a negative class number.
    """
    labels = np.asarray(labels)
    if labels.dtype.kind == "b":
        labels = labels.astype(np.int64)
    if (
        labels.ndim == 0
        or labels.dtype.kind not in "iuf"
        or (labels.ndim == 1)
        and (labels.dtype.kind != "f")
    ):
        return check_labels(what, labels)
    if labels.dtype.kind != "f":
        return labels.astype(np.int64)
    if not np.isfinite(labels).all():
        raise ValueError(f"{what}: expected finite labels, received NaN or infinity")
    return labels.astype(np.float32)


def check_unique(what: str, sample_id: Any) -> np.ndarray:
    """Returns sample ids [N] as int64; ValueError if one occurs twice. See `check_labels`."""
    sample_id = check_labels(what, sample_id)
    values, counts = np.unique(sample_id, return_counts=True)
    if np.any(counts > 1):
        raise ValueError(
            f"{what}: expected unique ids, received {values[counts > 1][0]} more than once"
        )
    return sample_id


def check_class_counts(value) -> list[float]:
    """Returns the class counts as a list of floats, each of 1 or more.

    Raises:
        ValueError: the shape is not [C] with C >= 2, or a count is below 1 or not finite.
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


def check_transition_matrix(
    value: Any, name: str = "transition_matrix", tolerance: float = 1e-4
) -> np.ndarray:
    """Returns T [C, C] as float64; T[i, j] = P(label j given true class i).

    Raises:
        ValueError: T is not square, has a negative entry, or a row sum differs from 1 by more
            than `tolerance`.
    """
    matrix = np.asarray(value, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] < 2:
        raise ValueError(f"{name}: expected shape [C, C], received {list(matrix.shape)}")
    misses = np.abs(matrix.sum(axis=1) - 1)
    # In this form the condition refuses NaN too.
    if not (matrix.min() >= 0 and misses.max() <= tolerance):
        row = int(np.argmax(misses))
        raise ValueError(
            f"{name}: expected rows of probabilities that sum to 1, received "
            f"a sum of {matrix[row].sum():g} in row {row} and least entry {matrix.min():g}"
        )
    return matrix
