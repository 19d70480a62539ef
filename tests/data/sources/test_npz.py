"""Arrays of .npz files: names of parts, class names, a clean set that is used whole."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.damage import FEW, damaged, one_line, write
from tests.data.sources.npz_files import save_npz
from tf_mwn.data.sources import load
from tf_mwn.data.splits.biased_data import BiasSettings, prepare

_X, _Y = np.arange(60.0).reshape(30, 2), np.arange(30) % 3


@pytest.mark.parametrize("name", ["val", "valid", "validation", "dev"])
def test_validation_arrays_are_used(tmp_path, name, caplog):
    extra = {f"x_{name}": -_X[:6], f"y_{name}": _Y[:6]}
    source = load(save_npz(tmp_path, **extra))
    assert len(source.y) == 30 and source.validation is None
    np.testing.assert_array_equal(source.x_test, -_X[:6])
    source = load(save_npz(tmp_path, **extra, x_test=_X[:3] + 100, y_test=_Y[:3], note=np.zeros(2)))
    np.testing.assert_array_equal(source.validation.x, -_X[:6])
    assert len(source.x_test) == 3 and "not used: note" in caplog.text


def test_names_of_arrays_and_of_classes(tmp_path):
    with pytest.raises(ValueError, match="received x_extra, y_true too"):
        load(save_npz(tmp_path, x_extra=_X, y_true=_Y))
    names = np.array(["ant", "bee", "cat"])
    assert load(save_npz(tmp_path, class_names=names)).class_names == ("ant", "bee", "cat")
    for bad, message in ((names[:2], "one for each of 3"), (names[[0, 0, 1]], "different texts")):
        with pytest.raises(ValueError, match=f"class_names: expected .*{message}"):
            load(save_npz(tmp_path, class_names=bad))


def test_labels_of_another_length_are_called_by_their_name(tmp_path):
    with pytest.raises(ValueError, match="^x, y_clean: expected the same length, received 30, 29"):
        load(save_npz(tmp_path, y_clean=_Y[:29]))


def test_a_clean_set_apart_is_used_whole(tmp_path, caplog):
    label = np.repeat([0, 1, 2], [10, 3, 0])
    source = load(save_npz(tmp_path, x_meta=-_X[:13] - 1, y_meta=label))
    data = prepare(source, BiasSettings(meta_size=13), 0)
    assert data.card["meta_per_class"] == [10, 3, 0] and len(data.train) == 24
    assert "no meta examples of the classes 2" in caplog.text
    with pytest.raises(ValueError, match="at most the 13 clean examples apart.*received 100"):
        prepare(source, BiasSettings(), 0)


def test_no_meta_set_at_all(tmp_path):
    data = prepare(load(save_npz(tmp_path)), BiasSettings(meta_size=0), 0)
    assert data.card["sizes"]["meta"] == 0 and len(data.train) == 24
    assert data.card["meta"]["expected_rate"] is None


def test_huge_labels_take_no_memory(tmp_path):
    with pytest.raises(ValueError, match="every class from 0 to 1000000000000, received no"):
        load(save_npz(tmp_path, y=_Y * 500_000_000_000))


def _archive() -> bytes:
    file = io.BytesIO()
    np.savez(file, x=_X, y=_Y)
    return file.getvalue()


@FEW
@given(content=damaged(_archive()))
def test_any_bytes(tmp_path, content):
    source = one_line(load, write(tmp_path / "a.npz", content))
    if source is not None:
        np.testing.assert_array_equal(source.x[:, 0], 2 * source.sample_id)


_KINDS = st.sampled_from(["u1", "i8", ">i4", "f2", "f4", ">f8", "c8", "U2", "M8[s]", "?", "S2"])
_SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
_ARRAYS = st.dictionaries(
    st.sampled_from("x y y_clean x_test y_test x_meta sample_id class_names x_val".split()),
    _KINDS.flatmap(lambda kind: arrays.arrays(kind, _SHAPES)),
    min_size=1,
)


@FEW
@given(given_arrays=_ARRAYS)
def test_any_arrays(tmp_path, given_arrays):
    """In place of the good ones."""
    np.savez(tmp_path / "a.npz", **{"x": _X, "y": _Y, **given_arrays})
    source = one_line(load, str(tmp_path / "a.npz"))
    if source is not None:
        assert np.isfinite(source.x).all() and source.x.dtype.isnative
        assert len(source.x) == len(source.y) and set(source.y) <= set(range(30))


def test_tokens_of_parts_may_differ_in_length(tmp_path):
    tokens, test = np.arange(60).reshape(30, 2) + 1, np.arange(12).reshape(3, 4) + 70
    path = save_npz(tmp_path, x=None, tokens=tokens, tokens_test=test, y_test=_Y[:3])
    source = load(path)
    np.testing.assert_array_equal(source.x, np.pad(tokens, ((0, 0), (0, 2))))
    np.testing.assert_array_equal(source.x_test, test)
