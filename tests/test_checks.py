"""Intervals name themselves, and refuse what is outside."""

import math

import numpy as np
import pytest

from tf_mwn.checks import NEGATIVE, POSITIVE, UNIT, Interval
from tf_mwn.losses.admissible import GCE_Q


@pytest.mark.parametrize(
    "interval, text",
    [
        (GCE_Q, "(0, 1]"),
        (UNIT, "[0, 1]"),
        (POSITIVE, "(0, inf)"),
        (NEGATIVE, "(-inf, 0)"),
        (Interval(0.5), "[0.5, inf)"),
    ],
)
def test_an_interval_is_written_as_in_mathematics(interval, text):
    assert str(interval) == text


def test_the_ends_belong_where_the_brackets_say():
    assert GCE_Q.check("q", 1) == 1.0
    assert isinstance(GCE_Q.check("q", np.float32(0.5)), float)
    for value in (0, 2, math.nan, math.inf):
        with pytest.raises(ValueError, match=r"^q: expected a value in \(0, 1\], received"):
            GCE_Q.check("q", value)
    assert math.inf not in POSITIVE


@pytest.mark.parametrize("value", ["0.5", None, True, [0.5]])
def test_what_is_no_number_is_a_type_error(value):
    with pytest.raises(TypeError, match=r"^q: expected a number in \(0, 1\], received"):
        GCE_Q.check("q", value)
