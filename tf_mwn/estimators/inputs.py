"""Tables and arrays of a user as inputs of a Keras model."""

import sys
from typing import Any

import numpy as np
import tensorflow as tf

from tf_mwn.checks import check_array

Inputs = np.ndarray | dict[str, np.ndarray]


def other_columns(X: Any) -> tuple[str, ...]:
    """The columns of a DataFrame of pandas that do not hold numbers; none of an array."""
    pandas = sys.modules.get("pandas")
    if pandas is None or not isinstance(X, pandas.DataFrame):
        return ()
    is_numeric = pandas.api.types.is_numeric_dtype
    return tuple(str(n) for n, column in X.items() if not is_numeric(_kind(column)))


def check_none_missing(name: str, labels: Any) -> None:
    """Refuses labels [N] of which one is None, NaN or pandas' NA.

    Raises:
        ValueError: naming its row.
    """
    values = np.asarray(labels, dtype=object)
    if values.ndim == 0 or values.dtype != object:  # is refused elsewhere
        return
    pandas = sys.modules.get("pandas")
    found = values != values if pandas is None else pandas.isna(values)
    missing = np.argwhere(np.equal(values, None) | found)
    if len(missing):
        raise ValueError(
            f"{name}: expected a label for each row, received none for row {missing[0][0]}"
        )


def index_of(X: Any) -> Any:
    """The index of a DataFrame of pandas; None of anything else."""
    pandas = sys.modules.get("pandas")
    return X.index if pandas is not None and isinstance(X, pandas.DataFrame) else None


def columns_of(X) -> dict[str, np.ndarray]:
    """The columns [N, 1] of a DataFrame by name.

    Floats become float32, and booleans too. Integers stay integers, text stays text. A categorical
    column has the kind of its categories.

    Raises:
        TypeError: a column of something else, such as dates.
        ValueError: missing values.
    """
    return {str(name): _column(str(name), column) for name, column in X.items()}


def numbers(X: np.ndarray) -> np.ndarray:
    """An array [N, ...] that scikit-learn has checked, with floats as float32."""
    return check_array("X", X)


def rows_of(inputs: Inputs, rows: np.ndarray) -> Inputs:
    """Some rows of inputs."""
    return tf.nest.map_structure(lambda part: part[rows], inputs)


def _column(name: str, column) -> np.ndarray:
    if column.isna().any():
        raise ValueError(
            f"X: expected no missing values, received some in column {name!r}; fill them"
        )
    kind = _kind(column)
    values = column.astype(kind)  # a categorical column as its categories
    if kind in (bool, "boolean"):
        return values.to_numpy(np.float32)[:, np.newaxis]
    if sys.modules["pandas"].api.types.is_numeric_dtype(kind):
        return check_array(f"X[{name!r}]", values.to_numpy(kind.type))[:, np.newaxis]
    texts = values.to_numpy(object)
    if not all(isinstance(text, str) for text in texts):
        raise TypeError(f"X: expected numbers or text in column {name!r}, received {kind}")
    return texts[:, np.newaxis]


def _kind(column):
    """The type of a column's values; of a categorical column that of its categories."""
    categories = getattr(column.dtype, "categories", None)
    return column.dtype if categories is None else categories.dtype
