"""Label files: three formats that agree, and what is refused."""

import numpy as np
import pytest

from tf_mwn.data.bias.label_file import read_labels

IDS = np.array([7, 3, 5, 9])
LABELS = np.array([2, 0, 1, 2])


def _csv(path, text):
    path.write_text(text)
    return str(path)


def _npz(path, **arrays):
    np.savez(path, **arrays)
    return str(path)


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
        labels = read_labels(path, IDS, 3)
        assert labels.dtype == np.int64
        np.testing.assert_array_equal(labels, LABELS)


BAD_CSV = {
    "header": ("id,label\n7,1\n", "header sample_id,label in .*, received .'id', 'label'"),
    "empty": ("", "header sample_id,label"),
    "word": ("sample_id,label\n7,1\n3,cat\n", "two integers in line 3 .* received '3,cat'"),
    "float": ("sample_id,label\n7,1.5\n", "two integers in line 2"),
    "three": ("sample_id,label\n7,1,1\n", "two integers in line 2"),
    "unknown": ("sample_id,label\n7,1\n3,1\n5,1\n8,1\n", "received 1 unknown, the first 8"),
    "missing": ("sample_id,label\n7,1\n3,1\n5,1\n", "received none for 1, the first with id 9"),
    "doubled": ("sample_id,label\n7,1\n7,1\n", "received 7 more than once"),
    "range": ("sample_id,label\n7,3\n", "below the 3 classes, received 3"),
    "negative": ("sample_id,label\n7,-1\n", "of at least 0, received -1"),
}


@pytest.mark.parametrize("text, message", BAD_CSV.values(), ids=BAD_CSV.keys())
def test_bad_csv_is_refused(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read_labels(_csv(tmp_path / "a.csv", text), IDS, 3)


def test_bad_arrays_are_refused(tmp_path):
    floats = _npz(tmp_path / "f.npz", sample_id=IDS, label=LABELS * 1.0)
    with pytest.raises(TypeError, match="labels in .* integers, received float64"):
        read_labels(floats, IDS, 3)
    with pytest.raises(ValueError, match="arrays sample_id and label in .*, received labels"):
        read_labels(_npz(tmp_path / "n.npz", labels=LABELS), IDS, 3)
    with pytest.raises(ValueError, match="sample_id, label: .* received 4, 3"):
        read_labels(_npz(tmp_path / "s.npz", sample_id=IDS, label=LABELS[:3]), IDS, 3)
    np.save(tmp_path / "short.npy", LABELS[:3])
    with pytest.raises(ValueError, match="expected 4 labels in .*short.npy, received 3"):
        read_labels(str(tmp_path / "short.npy"), IDS, 3)


def test_bad_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match="nothing.csv, which does not exist"):
        read_labels(str(tmp_path / "nothing.csv"), IDS, 3)
    (tmp_path / "text.npy").write_text("words")
    with pytest.raises(ValueError, match="array of numbers in .*text.npy, received none"):
        read_labels(str(tmp_path / "text.npy"), IDS, 3)
    (tmp_path / "labels.txt").write_text("1")
    with pytest.raises(ValueError, match=".npz or .npy or .csv, received .*labels.txt"):
        read_labels(str(tmp_path / "labels.txt"), IDS, 3)
