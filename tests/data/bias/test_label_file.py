"""Label files: three formats that agree, and what is refused."""

import io

import numpy as np
import pytest
from hypothesis import given

from tests.damage import FEW, damaged, one_line, write
from tests.data.bias.toy_ids import ids_source
from tests.data.splits.toy_rows import prepared_rows, rows_source
from tf_mwn.data.bias.label_file import find_list, read_labels

IDS = np.array([7, 3, 5, 9])
LABELS = np.array([2, 0, 1, 2])


SOURCE = ids_source(IDS)


def _csv(path, text):
    path.write_text(text)
    return str(path)


def _npz(path, **arrays):
    np.savez(path, **arrays)
    return str(path)


def test_a_list_is_found_in_its_folder_or_given_itself(tmp_path):
    (tmp_path / "worse.csv").touch()
    assert find_list("worse", str(tmp_path)) == str(tmp_path / "worse.csv")
    assert find_list("worse", str(tmp_path / "mine.npy")) == str(tmp_path / "mine.npy")
    for path, received in ((None, "none"), (str(tmp_path), f"the folder {tmp_path} without it")):
        with pytest.raises(ValueError, match=f"file aggre.npz, aggre.npy or .*received {received}"):
            find_list("aggre", path)


def test_all_formats_align_with_the_ids(tmp_path):
    np.save(tmp_path / "a.npy", LABELS.astype(np.int32))
    order = [2, 0, 3, 1]
    rows = "".join(f"{IDS[row]}, {LABELS[row]}\n" for row in order)
    paths = [
        str(tmp_path / "a.npy"),
        _npz(tmp_path / "a.npz", sample_id=IDS[order], label=LABELS[order]),
        _csv(tmp_path / "a.csv", "sample_id,label\n" + rows),
    ]
    for path in paths:
        labels = read_labels(path, SOURCE)
        assert labels.dtype == np.int64
        np.testing.assert_array_equal(labels, LABELS)


BAD_CSV = {
    "header": ("id,label\n7,1\n", "header sample_id,label in .*, received .'id', 'label'"),
    "empty": ("", "header sample_id,label"),
    "word": ("sample_id,label\n7,1\n3,cat\n", "received none for 2"),
    "float": ("sample_id,label\n7,1.5\n", "received none for 3"),
    "a name": ("sample_id,label\n7,1\n3,cat\n5,1\n9,1\n", "among 0, 1, 2, received cat"),
    "no id": ("sample_id,label\n7,1\nx,1\n", "an integer and a label in line 3 .* 'x,1'"),
    "three": ("sample_id,label\n7,1,1\n", "an integer and a label in line 2"),
    "unknown": ("sample_id,label\n7,1\n3,1\n5,1\n8,1\n", "received 1 unknown, the first 8"),
    "missing": ("sample_id,label\n7,1\n3,1\n5,1\n", "received none for 1, the first with id 9"),
    "doubled": ("sample_id,label\n7,1\n7,1\n", "received 7 more than once"),
    "range": ("sample_id,label\n7,3\n3,1\n5,1\n9,1\n", "among 0, 1, 2, received 3"),
    "negative": ("sample_id,label\n7,-1\n3,1\n5,1\n9,1\n", "among 0, 1, 2, received -1"),
}


@pytest.mark.parametrize("text, message", BAD_CSV.values(), ids=BAD_CSV.keys())
def test_bad_csv_is_refused(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read_labels(_csv(tmp_path / "a.csv", text), SOURCE)


def test_bad_arrays_are_refused(tmp_path):
    floats = _npz(tmp_path / "f.npz", sample_id=IDS, label=LABELS * 1.0)
    with pytest.raises(TypeError, match="labels in .* integers, received float64"):
        read_labels(floats, SOURCE)
    with pytest.raises(ValueError, match="arrays sample_id and label in .*, received labels"):
        read_labels(_npz(tmp_path / "n.npz", labels=LABELS), SOURCE)
    with pytest.raises(ValueError, match="sample_id, label: .* received 4, 3"):
        read_labels(_npz(tmp_path / "s.npz", sample_id=IDS, label=LABELS[:3]), SOURCE)
    np.save(tmp_path / "short.npy", LABELS[:3])
    with pytest.raises(ValueError, match="expected 4 labels in .*short.npy, received 3"):
        read_labels(str(tmp_path / "short.npy"), SOURCE)


@pytest.mark.parametrize("text", [LABELS.astype(str), LABELS.astype("S"), LABELS])
def test_arrays_of_another_rank_are_refused(tmp_path, text):
    what = r"labels in .*: expected shape \[N\], received \[4, 1\] \(use labels\[:, 0\]\)"
    np.save(tmp_path / "c.npy", text[:, None])
    for path in (
        str(tmp_path / "c.npy"),
        _npz(tmp_path / "c.npz", sample_id=IDS, label=text[:, None]),
    ):
        with pytest.raises(ValueError, match=what):
            read_labels(path, SOURCE)
    np.save(tmp_path / "0.npy", text[0])
    for path, name in (
        (str(tmp_path / "0.npy"), "labels"),
        (_npz(tmp_path / "l.npz", sample_id=IDS, label=text[0]), "labels"),
        (_npz(tmp_path / "s.npz", sample_id=7, label=text), "sample_id"),
    ):
        with pytest.raises(ValueError, match=rf"{name} in .*: expected shape \[N\], received \[\]"):
            read_labels(path, SOURCE)


def test_names_in_bytes_are_utf_8(tmp_path):
    source = ids_source(IDS, ("Bär", "Kuh", "3"))
    given = np.array(["3", "Bär", "Kuh", "3"])
    path = _npz(tmp_path / "a.npz", sample_id=IDS, label=np.char.encode(given, "utf-8"))
    assert read_labels(path, source).tolist() == [2, 0, 1, 2]
    path = _npz(tmp_path / "a.npz", sample_id=IDS, label=np.char.encode(given, "latin-1"))
    with pytest.raises(ValueError, match=r"labels in .*a.npz: expected UTF-8, received b'B\\xe4r'"):
        read_labels(path, source)


def test_bad_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match="nothing.csv, which does not exist"):
        read_labels(str(tmp_path / "nothing.csv"), SOURCE)
    (tmp_path / "text.npy").write_text("words")
    with pytest.raises(ValueError, match="array of numbers in .*text.npy, received none"):
        read_labels(str(tmp_path / "text.npy"), SOURCE)
    (tmp_path / "labels.txt").write_text("1")
    with pytest.raises(ValueError, match=".npz or .npy or .csv, received .*labels.txt"):
        read_labels(str(tmp_path / "labels.txt"), SOURCE)


def test_labels_by_name_by_number_and_by_number_as_a_name(tmp_path):
    def read(names, labels):
        rows = "".join(f"{i},{label}\n" for i, label in zip(IDS, labels, strict=True))
        path = _csv(tmp_path / "a.csv", f"sample_id,label\n{rows}")
        given = _npz(tmp_path / "a.npz", sample_id=IDS, label=np.array(labels))
        found = [read_labels(p, ids_source(IDS, names)).tolist() for p in (path, given)]
        assert found[0] == found[1]
        return found[0]

    assert read(("ant", "bee", "cat"), ["cat", "ant", "bee", "cat"]) == [2, 0, 1, 2]
    assert read(("ant", "bee", "cat"), [2, 0, 1, 2]) == [2, 0, 1, 2]
    assert read(("1", "2", "10"), [10, 1, 2, 10]) == [2, 0, 1, 2]
    assert read(("01", "02", "10"), [10, 1, 2, 10]) == [2, 0, 1, 2]
    assert read(("1", "2", "other"), [2, 1, 2, 1]) == [1, 0, 1, 0]
    with pytest.raises(ValueError, match="among 1, 2, 10, received 0"):
        read(("1", "2", "10"), [0, 1, 2, 10])


def test_labels_of_all_rows_of_the_file(tmp_path):
    """The rows that were split off for the test are in it too."""
    source = ids_source([0, 2, 3], test=[1, 4], num_rows=5)
    np.save(tmp_path / "a.npy", np.array([0, 1, 2, 0, 1]))
    assert read_labels(str(tmp_path / "a.npy"), source).tolist() == [0, 2, 0]
    path = _csv(tmp_path / "a.csv", "sample_id,label\n4,0\n3,0\n2,2\n1,1\n0,0\n")
    assert read_labels(path, source).tolist() == [0, 2, 0]


@FEW
@given(content=damaged(b"sample_id,label\n7,2\n3,0\n5,1\n9,2\n"))
def test_any_csv(tmp_path, content):
    labels = one_line(read_labels, write(tmp_path / "a.csv", content), SOURCE)
    assert labels is None or set(labels.tolist()) <= {0, 1, 2}


def _archive() -> bytes:
    file = io.BytesIO()
    np.savez(file, sample_id=IDS, label=LABELS)
    return file.getvalue()


@FEW
@given(content=damaged(_archive()))
def test_any_archive(tmp_path, content):
    labels = one_line(read_labels, write(tmp_path / "a.npz", content), SOURCE)
    assert labels is None or labels.tolist() == LABELS.tolist()


@pytest.mark.parametrize("shift, told", [(0, False), (1, True)])
def test_labels_in_another_order_are_worth_a_line(tmp_path, caplog, shift, told):
    source = rows_source()
    np.save(tmp_path / "a.npy", (source.y + shift) % 4)
    prepared_rows(source, label_file=str(tmp_path / "a.npy"))
    assert ("100 % of the labels in" in caplog.text) == told
