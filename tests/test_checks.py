"""Intervals name themselves and refuse what is outside; every error has one style."""

import ast
import math
import pathlib
import re

import numpy as np
import pytest

from tf_mwn.checks import NEGATIVE, POSITIVE, UNIT, Interval, check_array
from tf_mwn.losses.admissible import GCE_Q

ROOT = pathlib.Path(__file__).parent.parent


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


# Where a ValueError or TypeError is no sentence of its own for the user, and why.
NO_SENTENCE = {
    ("tf_mwn/networks/__init__.py", "_find"): "the sentence is unknown_name's",
    ("tf_mwn/methods/losses/learned_loss.py", "_check_corners"): "goes in front of a sentence",
    ("tf_mwn/methods/mentornet/mentor_net.py", "_read"): "a reason in its own next sentence",
    ("tf_mwn/runs/checkpoint.py", "_read"): "a reason in the sentence of restore",
    ("tf_mwn/training/checks/batches.py", "mistakes_in_batches"): "a sentence that a batch gave",
    ("tf_mwn/runs/devices.py", "_tf_config"): "a reason in its own next sentence",
}
STYLE = re.compile(r"[^:]+: expected .+, received .+", re.DOTALL)


def text_of(node):
    """The text of an expression, with {} for each part that only a run tells."""
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(value) for value in node.values)
    if isinstance(node, ast.BinOp):
        return text_of(node.left) + text_of(node.right)
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "unknown_name":
        return "{}: expected {}, received {}"
    return node.value if isinstance(node, ast.Constant) else "{}"


def raised(tree):
    """The names of the function around each raise of a ValueError or TypeError, and its text."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                    if ast.unparse(node.exc.func) in ("ValueError", "TypeError"):
                        yield function.name, text_of(node.exc.args[0])


@pytest.mark.parametrize("path", sorted(ROOT.glob("tf_mwn/**/*.py")), ids=str)
def test_an_error_names_what_was_expected_and_received(path):
    place = str(path.relative_to(ROOT))
    for function, text in raised(ast.parse(path.read_text())):
        assert STYLE.match(text) or (place, function) in NO_SENTENCE, text


def test_no_exception_is_out_of_date():
    found = {
        (place, function)
        for place in {place for place, _ in NO_SENTENCE}
        for function, text in raised(ast.parse((ROOT / place).read_text()))
        if not STYLE.match(text)
    }
    assert found == set(NO_SENTENCE)


_WIDE = np.random.default_rng(0).normal(size=(2000, 2))
_SECONDS = 1.7e9 + 10 * _WIDE


@pytest.mark.parametrize(
    "array",
    [
        _WIDE * 1e-30,
        _WIDE * 1e30,
        1e3 + 0.1 * _WIDE,
        np.round(_WIDE, 1) + 1e-17 * _WIDE,  # levels with rounding errors
        np.full((20, 2), 0.1) + 1e-17 * _WIDE[:20],  # a constant with rounding errors
        np.full((20, 2), 1_700_000_000),
        (1e6 * _WIDE).astype(np.int64),
        _SECONDS.astype(np.float32),  # whose digits were lost before
        np.arange(40, dtype=">f8").reshape(20, 2),
    ],
)
def test_values_that_float32_holds_are_taken(array):
    found = check_array("x", array)
    assert found.dtype.kind == array.dtype.kind and found.dtype.itemsize in (4, 8)
    np.testing.assert_allclose(found, array, rtol=1e-6)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (_SECONDS, "received column 0 with values near 17000.* that differ by"),
        (_SECONDS.astype(np.int64), "received column 0"),
        (np.where(np.arange(2000)[:, None] < 20, 0, _SECONDS), "column 0"),  # missing times
        (np.where(np.arange(2000)[:, None] < 1200, 0, _SECONDS), "column 0"),
        (np.stack([_WIDE[:, 0], _SECONDS[:, 0]], axis=1), "column 1"),
        (_WIDE * 1e-42, "column 0"),
        (_WIDE * 1e-60, "column 0"),
        (_WIDE * 1e60, "values up to 8.5e[+]37, which float32 holds, received"),
        (np.array([[1.0], [1e300]]), "values up to .*, received 1e[+]300"),
    ],
)
def test_values_that_float32_cannot_tell_apart_are_refused(array, message):
    with pytest.raises(ValueError, match=f"x: expected .*{message}"):
        check_array("x", array)
