"""Which rows are equal, whatever the form they are given in."""

import numpy as np
import pytest
import tensorflow as tf

from tf_mwn.row_keys import row_keys

NUMBERS = np.array([[0.1, 2.0], [0.1, 3.0], [0.1, 2.0], [0.0, 0.0]])
TEXT = np.array(["one", "two", "one", ""])


@pytest.mark.parametrize(
    "x",
    [
        NUMBERS,
        NUMBERS.reshape(4, 1, 2, 1),
        TEXT,
        TEXT[:, None],
        {"a": NUMBERS, "b": TEXT},
        (np.arange(4) % 2, NUMBERS),
    ],
    ids=["numbers", "images", "text", "columns of text", "dict", "tuple"],
)
def test_equal_rows_have_equal_keys(x):
    which = np.unique(row_keys(x), return_inverse=True)[1]
    assert which[0] == which[2] and len(set(which.tolist())) == 3


def test_the_form_does_not_matter():
    np.testing.assert_array_equal(row_keys(NUMBERS), row_keys(NUMBERS.astype("float32")))
    counted = (10 * NUMBERS).round()
    np.testing.assert_array_equal(row_keys(counted), row_keys(counted.astype("uint8")))
    np.testing.assert_array_equal(row_keys(np.zeros(2)), row_keys(-np.zeros(2)))
    np.testing.assert_array_equal(row_keys(TEXT), row_keys(TEXT.astype(object)))
    np.testing.assert_array_equal(row_keys(TEXT), row_keys(tf.constant(TEXT)))
    np.testing.assert_array_equal(row_keys(TEXT), row_keys(TEXT.astype("U9")))


def test_large_integers_differ():
    assert len(np.unique(row_keys(2**24 + np.arange(3)))) == 3


def test_no_rows():
    assert len(row_keys(NUMBERS[:0])) == 0
