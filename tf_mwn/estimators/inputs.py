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
    return tuple(str(n) for n, column in X.items() if not is_numeric(_values(column).dtype))


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
    values = _values(column)
    kind = values.dtype
    if kind in (bool, "boolean"):
        return values.to_numpy(np.float32)[:, np.newaxis]
    if sys.modules["pandas"].api.types.is_numeric_dtype(kind):
        return check_array(f"X[{name!r}]", values.to_numpy(kind.type))[:, np.newaxis]
    texts = values.to_numpy(object)
    if not all(isinstance(text, str) for text in texts):
        raise TypeError(f"X: expected numbers or text in column {name!r}, received {kind}")
    return texts[:, np.newaxis]


def _values(column):
    """A categorical column as its categories; any other one as it is."""
    categories = getattr(column.dtype, "categories", None)
    return column if categories is None else column.astype(categories.dtype)
