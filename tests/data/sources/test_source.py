"""Arrays that make no source."""

import numpy as np
import pytest

from tests.data.bias.toy_images import toy_source
from tests.data.sources.npz_files import save_npz
from tf_mwn.data.sources import loading
from tf_mwn.data.sources.source import RawSource, build_source

_Y = np.arange(30) % 3


_TEST = {"x_test": np.zeros((3, 2)), "y_test": np.arange(3)}


BAD_ARRAYS = {
    "no x": ({"x": None}, ValueError, "arrays x .or tokens. and y in .*data.npz, received y"),
    "no y": ({"y": None}, ValueError, "arrays x .or tokens. and y in .*data.npz, received x"),
    "objects": (
        {"x": np.array([{}] * 30)},
        TypeError,
        "x: expected numbers in .*, received objects",
    ),
    "strings": (
        {"x": np.array(["a"] * 30)},
        TypeError,
        "x: expected numbers, received an array of",
    ),
    "scalar rows": ({"x": np.zeros(30)}, ValueError, r"\[N, H, W, C\], received \[30\]"),
    "empty": ({"x": np.zeros((0, 2)), "y": _Y[:0]}, ValueError, "at least one example"),
    "no columns": ({"x": np.zeros((30, 0))}, ValueError, r"received \[30, 0\]"),
    "NaN": ({"x": np.full((30, 2), np.nan)}, ValueError, "NaN or infinity in row 0"),
    "infinity": ({"x": np.full((30, 2), -np.inf)}, ValueError, "NaN or infinity in row"),
    "lengths": ({"y": _Y[:29]}, ValueError, "x, y: .* the same length, received 30, 29"),
    "float labels": ({"y": _Y * 1.0}, TypeError, "y: expected integers, received float64"),
    "column labels": ({"y": _Y[:, None]}, ValueError, r"use labels\[:, 0\]"),
    "negative labels": ({"y": _Y - 1}, ValueError, "y: .* at least 0, received -1"),
    "gap": (
        {"y": _Y + (_Y == 2)},
        ValueError,
        "y: .* from 0 to 3, received no example of .* 2",
    ),
    "from one": ({"y": _Y + 1}, ValueError, "received no example of class 0"),
    "one class": ({"y": 0 * _Y}, ValueError, "at least two classes, received only class 0"),
    "doubled id": (
        {"sample_id": _Y},
        ValueError,
        "sample_id: expected unique ids, received 0 more than once",
    ),
    "few ids": ({"sample_id": np.arange(29)}, ValueError, "y, sample_id: .* received 30, 29"),
    "y_clean length": ({"y_clean": _Y[:29]}, ValueError, "same length, received 30, 29"),
    "y outside y_clean": ({"y_clean": _Y % 2}, ValueError, "below the 2 classes, received 2"),
    "x_test alone": (
        {"x_test": np.zeros((3, 2))},
        ValueError,
        "y_test: expected together with x_test",
    ),
    "y_test alone": ({"y_test": np.arange(3)}, ValueError, "x_test: expected together with y_test"),
    "test shape": ({**_TEST, "x_test": np.zeros((3, 5))}, ValueError, r"x \[2\], received \[5\]"),
    "test length": (
        {**_TEST, "y_test": np.arange(2)},
        ValueError,
        "x_test, y_test: .* received 3, 2",
    ),
    "test class": (
        {**_TEST, "y_test": np.array([0, 1, 3])},
        ValueError,
        "the 3 classes, received 3",
    ),
    "test NaN": (
        {**_TEST, "x_test": np.full((3, 2), np.nan)},
        ValueError,
        "x_test: expected finite",
    ),
}


@pytest.mark.parametrize("changes, error, message", BAD_ARRAYS.values(), ids=BAD_ARRAYS.keys())
def test_bad_arrays_are_refused_in_one_sentence(tmp_path, changes, error, message):
    path = save_npz(tmp_path, **changes)
    with pytest.raises(error, match=message) as caught:
        loading.load(path)
    assert "\n" not in str(caught.value)


def test_two_superclasses_of_one_class_are_refused():
    with pytest.raises(ValueError, match=r"y_coarse: .* received \[0, 1\] for class 1"):
        toy_source(y_coarse=np.arange(240) % 4 * (np.arange(240) > 3))


def test_inputs_that_are_all_the_same_are_worth_a_line(tmp_path, caplog):
    loading.load(save_npz(tmp_path, x=np.full((30, 4, 4), 7, np.uint8)))
    assert "all 30 inputs are the same: nothing can be learned" in caplog.text
    caplog.clear()
    x = np.arange(30 * 16, dtype=np.uint16).reshape(30, 4, 4)
    loading.load(save_npz(tmp_path, x=x))
    assert not caplog.text


def test_the_test_part_leaves_every_class_an_example():
    y = np.repeat(np.arange(41), [60] + [1] * 40)
    source = build_source(RawSource("few", np.arange(200.0).reshape(100, 2), y))
    assert set(source.y) == set(range(41)) and 0 < len(source.y_test) < 20
    held = np.sort(np.concatenate([source.sample_id, source.test_id]))
    np.testing.assert_array_equal(held, np.arange(100))
    with pytest.raises(ValueError, match="hold out .* received 5 different ones in 5 classes"):
        build_source(RawSource("one", np.arange(10.0).reshape(5, 2), np.arange(5)))


def test_the_draw_of_the_test_part_is_that_of_old():
    """Where no class would lose all: what the first version drew."""
    source = build_source(RawSource("t", np.arange(60.0).reshape(30, 2), _Y))
    np.testing.assert_array_equal(source.test_id, [0, 5, 6, 13, 14, 25])


def test_an_image_that_comes_back_brings_all_its_rows():
    """Each of 10 images has two rows, with the only example of a class each."""
    images = np.random.default_rng(0).integers(0, 256, (30, 3, 3, 1)).astype(np.uint8)
    y = np.concatenate([np.zeros(20, np.int64), 1 + np.arange(20)])
    x = np.concatenate([images[:20], images[20:].repeat(2, axis=0)])
    source = build_source(RawSource("t", x, y, is_own=True))
    assert set(source.y) == set(range(21)) and len(source.y_test)
    assert not {x.tobytes() for x in source.x} & {x.tobytes() for x in source.x_test}


def test_clean_examples_of_a_table_are_compared_with_the_test_part(tmp_path, caplog):
    test = np.arange(6.0).reshape(3, 2) + 0.5
    arrays = {"x_test": test, "y_test": _Y[:3], "x_meta": test[[1, 2, 2]], "y_meta": _Y[:3]}
    loading.load(save_npz(tmp_path, **arrays))
    assert "3 of the 3 meta rows are test rows too" in caplog.text


def test_images_of_two_scales_are_refused(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (30, 4, 4)).astype(np.uint8)
    bad = {"x": x, "x_test": np.float32(x[:3]) / 255, "y_test": np.arange(3)}
    with pytest.raises(ValueError, match=r"x_test: .* scale of x, .* \[0, 255\], .* \[0, 0.97"):
        loading.load(save_npz(tmp_path, **bad))
