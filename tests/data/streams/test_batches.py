"""Batches: every position is equally likely."""

import numpy as np
import pytest
import tensorflow as tf

from tf_mwn.data.streams import batches


@pytest.mark.parametrize("size", [2, 10, 50, 1100])
def test_every_position_is_equally_likely_over_epochs(size):
    counts = np.zeros((size, size))
    for epoch in range(400):
        order = batches._shuffled(tf.range(size, dtype=tf.int64), 0, epoch, 0, size)
        counts[np.arange(size), order] += 1
    expected = 400 / size
    degrees = (size - 1) ** 2
    chi_square = ((counts - expected) ** 2 / expected).sum()
    assert chi_square < degrees + 5 * np.sqrt(2 * degrees)
