"""Counts that are rounded to a given total."""

import numpy as np

from tf_mwn.data.rounding import largest_remainder


def test_largest_remainder_by_hand():
    assert largest_remainder([1.5, 2.2, 0.3, 0.0], 4).tolist() == [2, 2, 0, 0]
    assert largest_remainder([0.5, 0.5, 1.0], 2).tolist() == [1, 0, 1]
    assert largest_remainder([0.5, 0.5, 1.0], 2, [2, 1, 0]).tolist() == [0, 1, 1]
    assert largest_remainder(0.1 * np.array([3, 7]) * 10, 10).tolist() == [3, 7]
