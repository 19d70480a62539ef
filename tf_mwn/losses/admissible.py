"""The sets in which the hyper-parameters of the losses live."""

import dataclasses
import math
import numbers

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
AT_LEAST_ONE = Interval(1)
GCE_Q = FRACTION
TRUNCATION = Interval(0, 1, has_low=False, has_high=False)
NOISE_RATE = Interval(0, 1, has_low=False, has_high=False)
TEMPERATURE_1 = UNIT
LABEL_SMOOTHING = BELOW_ONE
POLY_SOFT_D = Interval(1, has_low=False)
CLASS_BALANCED_BETA = BELOW_ONE


# What stands for ln 0 in the reverse cross-entropy: labels clipped at 1e-4.
LOG_ZERO = math.log(1e-4)


def check_bool(name: str, value: bool) -> bool:
    """Returns `value`; TypeError if it is no bool."""
    if not isinstance(value, bool):
        raise TypeError(f"{name}: expected a bool, received {value!r}")
    return value


def check_count(name: str, value: int) -> int:
    """Returns `value` as an int of 1 or more; TypeError or ValueError otherwise."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name}: expected an integer of at least 1, received {value!r}")
    if value < 1:
        raise ValueError(f"{name}: expected an integer of at least 1, received {value}")
    return int(value)


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
