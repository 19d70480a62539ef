"""Tables and token sequences from CSV and .npz files."""

import numpy as np
import pytest

from tf_mwn.data.sources import csv_rows
from tf_mwn.data.sources.csv_rows import read_fields
from tf_mwn.data.sources.loading import load, read
from tf_mwn.data.sources.table import feature_columns

ROWS = [f"{i},{i * 0.5},{'ny'[i % 2]},{-i}" for i in range(20)]


def save(folder, header, rows, name="table.csv"):
    (folder / name).write_text("\n".join([header, *rows]) + "\n")
    return str(folder / name)


def test_every_other_column_is_a_feature(tmp_path):
    path = save(tmp_path, "a, b ,fraud,c", ROWS)
    raw = read(path, label_column="fraud")
    assert raw.columns == ("a", "b", "c") and raw.class_names == ("n", "y") and raw.is_own
    np.testing.assert_array_equal(raw.x, [[i, i * 0.5, -i] for i in range(20)])
    np.testing.assert_array_equal(raw.y, np.arange(20) % 2)
    source = load(path, label_column="fraud")
    assert len(source.y) == 16 and source.test_split_off and source.num_rows == 20


def test_columns_that_are_no_features(tmp_path):
    parts = ["train"] * 14 + ["test"] * 3 + ["meta"] * 3
    rows = [f"{i},{i % 2},{i % 3 % 2},{parts[i]},0.5" for i in range(20)]
    path = save(tmp_path, "a,y,clean_label,split,sample_weight", rows)
    source = load(path, label_column="y")
    assert source.x.shape == (14, 1) and source.clean_known and not source.test_split_off
    np.testing.assert_array_equal(source.y_given, np.arange(14) % 2)
    np.testing.assert_array_equal(source.y, np.arange(14) % 3 % 2)
    np.testing.assert_array_equal(source.meta_pool.x[:, 0], [17, 18, 19])
    np.testing.assert_array_equal(source.meta_pool.sample_id, [17, 18, 19])


def test_columns_are_taken_by_name(tmp_path):
    path = save(tmp_path, "c,y,b,more", ["3,0,2,9", "6,1,5,9"])
    raw = read(path, label_column="y", columns=("b", "c"), evaluated=True)
    np.testing.assert_array_equal(raw.x, [[2, 3], [5, 6]])
    with pytest.raises(ValueError, match="expected the columns a, b, y in .* received none .* a$"):
        read(path, label_column="y", columns=("a", "b"), evaluated=True)


@pytest.mark.parametrize("kind", ["csv", "npz"])
def test_tokens_are_padded_and_counted(tmp_path, kind):
    if kind == "csv":
        path = save(tmp_path, "tokens,y", ["5 7,a", "3,b", "1 2 900,a", "4,b"])
        raw = read(path, label_column="y")
    else:
        tokens = np.array([[5, 7, 0], [3, 0, 0], [1, 2, 900], [4, 0, 0]])
        np.savez(tmp_path / "t.npz", tokens=tokens, y=[0, 1, 0, 1])
        path = str(tmp_path / "t.npz")
        raw = read(path)
    source = load(path, label_column="y" if kind == "csv" else None)
    assert not source.mean.any() and (source.std == 1).all()  # tokens stay as they are
    assert raw.is_tokens and raw.x.dtype == np.float32
    np.testing.assert_array_equal(raw.x, [[5, 7, 0], [3, 0, 0], [1, 2, 900], [4, 0, 0]])


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        ("a,b", "1,2", "label_column: expected a column of .*, a, b, received y"),
        ("y", "1", "expected feature columns in .*, received none"),
        (",a,y", "1,2,0", "expected a name for every column of .*, received none for column 1"),
        ("a,Unnamed: 0,y", "1,2,0", "received none for column 2; the index of a DataFrame"),
        ("a,a,y", "1,2,0", "expected columns of different names in .*, received 'a' twice"),
        ("a,y", "red,0", "expected numbers in column 'a' of .*, received 'red' in row 20"),
        ("a,y", ",0", "expected numbers in column 'a' of .*, received '' in row 20"),
        ("a,y", "1,", "expected a,y in line 22 of .*, received '1,'"),
        ("a,y", "1,0,5", "expected a,y in line 22"),
        ("a,y", "nan,0", "x: expected finite values, received NaN or infinity in row 20"),
        ("tokens,y", "3 x,0", "expected tokens, integers from 1 .*, received '3 x' in row 20"),
        ("tokens,y", "3 0 1,0", "received '3 0 1' in row 20"),
        ("tokens,y", "99999999,0", r"tokens: expected integers in \[0, 2\^24\], received 99999999"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path, header, row, message):
    fields = len(header.split(","))
    good = [",".join(["7"] * (fields - 1) + [str(i % 2)]) for i in range(20)]
    with pytest.raises(ValueError, match=message):
        load(save(tmp_path, header, [*good, row]), label_column="y")


def test_a_label_column_is_for_csv_files_alone():
    with pytest.raises(ValueError, match="label_column: expected a CSV file with it, received 'di"):
        read("digits", label_column="y")


def test_a_list_of_images_without_its_header_names_the_way_out(tmp_path):
    path = save(tmp_path, "a,b,fraud,c", ROWS)
    with pytest.raises(ValueError, match="or --label_column with the column of the labels"):
        read(path)
    assert feature_columns(path, "fraud") == ["a", "b", "c"]


def test_only_labels_and_features_must_be_filled(tmp_path):
    path = save(tmp_path, "a,note,y", ["1,,n", "2,seen,y"])
    np.testing.assert_array_equal(read(path, label_column="y", columns=["a"]).x, [[1], [2]])
    path = save(tmp_path, "a,y,b", ["1,,2", "3,,4"])
    assert [row["b"] for row in read_fields(path, ())] == ["2", "4"]
    with pytest.raises(ValueError, match="^files: expected a,y,b in line 2 of .*, received '1,,2'"):
        read_fields(path, ["y"], "files")


@pytest.mark.parametrize("header", ["a,y", "tokens,y"])
def test_a_file_of_several_chunks_is_read_as_one(tmp_path, header, monkeypatch):
    monkeypatch.setattr(csv_rows, "_CHUNK", 7)
    rows = [f"{i + 1}{' 5' * (i == 9) * (header[0] == 't')},{i % 2}" for i in range(20)]
    raw = read(save(tmp_path, header, [*rows[:8], "", *rows[8:]]), label_column="y")
    np.testing.assert_array_equal(raw.x[:, 0], np.arange(1, 21))
    np.testing.assert_array_equal(raw.x[9], [10] if header == "a,y" else [10, 5])
    np.testing.assert_array_equal(raw.y, np.arange(20) % 2)
    with pytest.raises(ValueError, match="received 'x' in row 20"):
        read(save(tmp_path, header, [*rows, "x,0"]), label_column="y")
    with pytest.raises(ValueError, match=f"expected {header} in line 22 of .*, received '7'"):
        read(save(tmp_path, header, [*rows, "7"]), label_column="y")


def test_text_is_read_as_it_is_asked_for(tmp_path, monkeypatch):
    """Two chunks are there before the third one's bad line is seen."""
    monkeypatch.setattr(csv_rows, "_CHUNK", 10)
    chunks = csv_rows.field_chunks(save(tmp_path, "a,b,y,c", [*ROWS, "1"]))
    assert [len(next(chunks)) for _ in range(2)] == [10, 10]
    with pytest.raises(ValueError, match="in line 22 of"):
        next(chunks)
