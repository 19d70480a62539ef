"""Noise that depends on the input of each example."""

import numpy as np
import pytest

from tf_mwn.data.bias.instance_noise import (
    instance_dependent_labels,
    standard_normal,
    truncated_normal,
)
from tf_mwn.data.seeds import generator


def _inputs(size=4000, num_classes=5):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (size, 4, 4, 3)).astype(np.uint8), np.arange(size) % num_classes


def test_instance_noise_has_its_rate_and_is_right_where_it_is_not_wrong():
    x, clean = _inputs()
    label, wrong = instance_dependent_labels(x, clean, 0.4, 5, generator(0, "noise"))
    assert label.dtype == np.int64 and label.min() >= 0 and label.max() < 5
    assert wrong.min() > 0 and wrong.max() < 1 and abs(wrong.std() - 0.1) < 0.01
    sigma = np.sqrt(0.24 / len(clean))
    assert abs((label != clean).mean() - wrong.mean()) < 3 * sigma
    high = wrong > 0.5
    assert (label != clean)[high].mean() > (label != clean)[~high].mean() + 0.1


@pytest.mark.parametrize(("rate", "mean"), [(0.05, 0.101), (0.2, 0.206), (0.4, 0.4), (0.9, 0.871)])
def test_truncation_moves_the_mean_of_the_flip_rates(rate, mean):
    levels = (np.arange(20_000) + 0.5) / 20_000
    assert truncated_normal(levels, rate, 0.1).mean() == pytest.approx(mean, abs=5e-4)


def test_instance_noise_depends_on_the_input():
    x, clean = _inputs()
    x[:], clean = x[0], np.zeros_like(clean)
    x[::2] = 255 - x[::2]
    label, _ = instance_dependent_labels(x, clean, 1.0, 5, generator(0, "noise"))
    for part in (label[::2], label[1::2]):  # 48 inputs: the softmax is close to one class
        drawn = part[part != 0]
        assert np.bincount(drawn).max() > 0.9 * len(drawn)


def test_instance_noise_with_two_classes_and_without_noise():
    x, clean = _inputs(400, 2)
    label, wrong = instance_dependent_labels(x, clean, 0.5, 2, generator(0, "noise"))
    assert set(label) == {0, 1} and 0.35 < (label != clean).mean() < 0.65
    label, wrong = instance_dependent_labels(x, clean, 0.0, 2, generator(0, "noise"))
    np.testing.assert_array_equal(label, clean)
    assert not wrong.any()


def test_normal_draws():
    values = standard_normal(generator(0, "x"), (20000,))
    assert abs(values.mean()) < 0.03 and abs(values.std() - 1) < 0.03
    assert abs((np.abs(values) < 1).mean() - 0.6827) < 0.015
    middle = truncated_normal(np.linspace(0, 1, 1001), 0.5, 0.1)
    assert np.all(np.diff(middle) > 0) and middle[500] == pytest.approx(0.5)
    assert truncated_normal(np.array([0.0, 0.5, 1.0]), 0.0, 0.1)[1] == pytest.approx(0.06745, 1e-3)
