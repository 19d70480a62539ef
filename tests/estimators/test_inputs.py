"""Tables of pandas as inputs of a network."""

import sys

import numpy as np
import pandas as pd
import pytest

from tf_mwn.estimators.inputs import (
    check_none_missing,
    columns_of,
    index_of,
    numbers,
    other_columns,
)

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


def test_numbers_as_categories_may_have_gaps_that_are_refused_later():
    table = TABLE.assign(size=pd.Categorical([3, None]))
    assert other_columns(table) == ("city", "kind")
    with pytest.raises(ValueError, match="X: expected no missing values, .* column 'size'"):
        columns_of(table)


@pytest.mark.parametrize(
    "labels",
    [["a", None], [0.0, np.nan], pd.Series(["a", pd.NA], dtype="string"), np.array(["a", None])],
)
def test_missing_labels_are_refused_with_their_row(labels, monkeypatch):
    message = "^y: expected a label for each row, received none for row 1$"
    with pytest.raises(ValueError, match=message):
        check_none_missing("y", labels)
    if not isinstance(labels, pd.Series):
        monkeypatch.delitem(sys.modules, "pandas")
        with pytest.raises(ValueError, match=message):
            check_none_missing("y", labels)


def test_only_a_frame_has_an_index():
    assert list(index_of(TABLE.set_axis([5, 6]))) == [5, 6]
    assert index_of([[1.0]]) is None and index_of(np.zeros((1, 1))) is None
