"""Sequences of token numbers of one length."""

import numpy as np
import pytest

from tf_mwn.data.sources.tokens import of_length


def test_padding_is_added_or_left_out():
    tokens = np.float32([[1, 2, 0, 0], [3, 0, 0, 0]])
    for length in range(2, 7):
        found = of_length("x", tokens, length)
        assert found.shape == (2, length) and found.dtype == np.float32
        np.testing.assert_array_equal(found[:, :2], [[1, 2], [3, 0]])
        assert not found[:, 2:].any()
    np.testing.assert_array_equal(of_length("x", tokens[:, 2:], 1), [[0], [0]])
    message = "^x: expected sequences of at most 1 tokens, .* received one of 2$"
    with pytest.raises(ValueError, match=message):
        of_length("x", tokens, 1)
