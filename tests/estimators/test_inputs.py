"""Tables of pandas as inputs of a network."""

import numpy as np
import pandas as pd
import pytest

from tf_mwn.estimators.inputs import columns_of, numbers, other_columns

TABLE = pd.DataFrame(
    {
        "age": [1.5, 2.5],
        "city": ["Bern", "Genf"],
        "size": pd.Categorical([3, 4]),
        "kind": pd.Categorical(["a", "b"]),
        "flag": [True, False],
        "count": pd.array([1, 2], dtype="Int64"),
    }
)


def test_a_column_keeps_its_kind():
    assert other_columns(TABLE) == ("city", "kind")
    columns = columns_of(TABLE)
    kinds = {name: column.dtype.name for name, column in columns.items()}
    assert kinds == dict(
        age="float32", city="object", size="int64", kind="object", flag="float32", count="int64"
    )
    assert all(column.shape == (2, 1) for column in columns.values())
    assert columns["city"].tolist() == [["Bern"], ["Genf"]]
    assert columns["size"].tolist() == [[3], [4]] and columns["flag"].tolist() == [[1.0], [0.0]]


def test_numbers_alone_are_one_array():
    assert other_columns(TABLE[["age", "size", "flag", "count"]]) == ()
    assert other_columns(np.zeros((2, 2))) == ()
    assert numbers(np.zeros((2, 3))).dtype == np.float32


@pytest.mark.parametrize(
    ("column", "error", "message"),
    [
        (pd.Series([1.0, None]), ValueError, "X: expected no missing values, .* column 'new'"),
        (pd.Series(["a", None]), ValueError, "X: expected no missing values, .* column 'new'"),
        (pd.to_datetime(["2026-01-01"] * 2), TypeError, "X: expected numbers or text in .* 'new'"),
        (pd.Series(["a", 1], dtype=object), TypeError, "X: expected numbers or text in .* 'new'"),
    ],
)
def test_columns_that_are_refused(column, error, message):
    with pytest.raises(error, match=message):
        columns_of(TABLE.assign(new=column))
