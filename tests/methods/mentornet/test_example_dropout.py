"""Dropout of examples: its schedules, and how many are kept."""

import numpy as np
import pytest
import tensorflow as tf

from tf_mwn.methods.mentornet.example_dropout import kept, rates_by_percent


def f64(values):
    return tf.constant(values, tf.float64)


def test_schedules_by_hand():
    rates = rates_by_percent("0.5,17,0.05,78,0.9,5")
    assert len(rates) == 100
    assert [rates[i] for i in (0, 16, 17, 94, 95, 99)] == [0.5, 0.5, 0.05, 0.05, 0.9, 0.9]
    assert rates_by_percent("0,100") == [0.0] * 100


@pytest.mark.parametrize("text", ["0.5,17,0.05,82", "0.5", "", "1.5,100", "a,100", "0.5,-1,0,101"])
def test_a_schedule_that_is_none_is_one_sentence(text):
    with pytest.raises(ValueError, match="example_dropout.*add up to 100, received"):
        rates_by_percent(text)


@pytest.mark.parametrize(
    "size, rate, number",
    [(100, 0.05, 95), (100, 0.9, 10), (7, 0.5, 3), (20, 0.0, 20), (20, 1.0, 0), (128, 0.05, 121)],
)
def test_exactly_that_many_are_kept(size, rate, number):
    drawn = np.random.default_rng(size).integers(-(2**31), 2**31, size)
    for scores in (drawn, np.zeros(size)):  # all equal: the first are kept
        keeps = kept(tf.constant(scores.astype(np.int32)), f64(rate)).numpy()
        assert keeps.sum() == int(round(size * (1 - rate), 6)) == number
        assert not number or scores[keeps].max() <= scores[~keeps].min(initial=2**31)
