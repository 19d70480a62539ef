"""Convolutions and initial weights as in the papers."""

import keras
import numpy as np
import pytest

from tf_mwn.networks.initializers import (
    convolution,
    kaiming_fan_out,
    kaiming_normal,
    uniform_fan_in,
)


def test_strided_convolution_is_padded_on_both_sides():
    inputs = keras.Input((4, 4, 1))
    model = keras.Model(inputs, convolution(inputs, 1, 3, 2, keras.initializers.Ones()))
    ones = np.ones((1, 4, 4, 1), np.float32)
    # Windows centred on pixels 0 and 2 of each axis: 2 and 3 of their 3 pixels are inside.
    np.testing.assert_array_equal(model(ones)[0, :, :, 0], [[4, 6], [6, 9]])


def test_initial_deviations():
    shape = (3, 3, 64, 256)
    for initializer, std in (
        (kaiming_normal(), np.sqrt(2 / (9 * 64))),
        (kaiming_fan_out(), np.sqrt(2 / (9 * 256))),
        (uniform_fan_in(), 1 / np.sqrt(3 * 9 * 64)),
    ):
        values = np.asarray(initializer(shape))
        assert values.std() == pytest.approx(std, rel=0.02) and abs(values.mean()) < 1e-3
    assert np.abs(values).max() <= 1 / np.sqrt(9 * 64)
