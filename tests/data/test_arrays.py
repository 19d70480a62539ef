"""Arrays in files: the right numbers, or one line, whatever the bytes are."""

import io
import resource
import zipfile

import numpy as np
import pytest
from hypothesis import given

from tests.damage import FEW, damaged, one_line, write
from tf_mwn.data.arrays import npz_names, read_npy, read_npz

X, Y = np.arange(12.0).reshape(4, 3), np.array([0, 1, 2, 1])


def _npy(array) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _npz(save=np.savez, **arrays) -> bytes:
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def _claim(shape: str, dtype: str = "<f8") -> bytes:
    """The .npy file of a header that states `shape`, with 8 bytes of content."""
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"
    header = header.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00v\x00" + header.encode() + bytes(8)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_whole_files_are_read(tmp_path, save):
    big = X.astype(">f4")
    path = write(tmp_path / "a.npz", _npz(save, x=X.T, y=Y, z=big))
    assert npz_names("dataset", path) == ["x", "y", "z"]
    arrays = read_npz("dataset", path, ("y", "x", "z"))
    assert list(arrays) == ["y", "x", "z"] and arrays["z"].dtype.isnative
    for name, array in {"x": X.T, "y": Y, "z": big}.items():
        np.testing.assert_array_equal(arrays[name], array)
    np.testing.assert_array_equal(read_npy("file", write(tmp_path / "a.npy", _npy(X.T))), X.T)


@FEW
@given(content=damaged(_npz(x=X, y=Y)))
def test_any_archive(tmp_path, content):
    path = write(tmp_path / "a.npz", content)
    arrays = one_line(lambda: read_npz("dataset", path, npz_names("dataset", path)))
    for name, array in (arrays or {}).items():
        if name in ("x", "y"):
            np.testing.assert_array_equal(array, {"x": X, "y": Y}[name])


@FEW
@given(content=damaged(_npy(Y)))
def test_any_array(tmp_path, content):
    array = one_line(read_npy, "label_file", write(tmp_path / "a.npy", content))
    assert array is None or array.nbytes <= len(content)


SHAPES = [(10**12,), (-1,), (2**40, 2**40), ()]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_header_is_not_believed(tmp_path, shape):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    content = _claim(str(shape))
    npy = write(tmp_path / "a.npy", content)
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", content)
    if shape == ():
        assert read_npy("file", npy) == 0
        return
    with pytest.raises(ValueError, match="its header states -?[0-9]+ bytes, 8 follow"):
        read_npy("file", npy)
    with pytest.raises(ValueError, match="whole array x in .*, received a damaged one"):
        read_npz("dataset", str(tmp_path / "a.npz"), ["x"])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**15  # KiB


def test_more_than_the_machine_holds_is_refused(tmp_path, monkeypatch):
    path = write(tmp_path / "a.npz", _npz(np.savez_compressed, x=np.zeros(10**6)))
    monkeypatch.setattr("os.sysconf", lambda name: 2000)
    with pytest.raises(ValueError, match=r"it takes 0.00745 GiB, of 0.00373 GiB in all"):
        read_npz("dataset", path, ["x"])


def test_objects_and_doubled_arrays_are_refused(tmp_path):
    objects = np.array([{}], object)
    with pytest.raises(TypeError, match="label_file: expected numbers in .*, received objects"):
        read_npy("label_file", write(tmp_path / "a.npy", _npy(objects)))
    with pytest.raises(TypeError, match="x: expected numbers in .*, received objects"):
        read_npz("dataset", write(tmp_path / "a.npz", _npz(x=objects)), ["x"])
    with pytest.warns(UserWarning), zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.writestr("x.npy", _npy(X))
        archive.writestr("x.npy", _npy(Y))
    with pytest.raises(ValueError, match="each array once in .*, received x twice"):
        npz_names("dataset", str(tmp_path / "b.npz"))
