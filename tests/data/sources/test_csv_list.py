"""CSV lists of images: labels, parts, and every kind of bad list."""

import numpy as np
import pytest
from hypothesis import given

from tests.damage import FEW, damaged, one_line, write
from tests.data.images.image_fixtures import IMAGES, load_path, save


def _csv(tmp_path, text, **options):
    for row, image in enumerate(IMAGES[:12]):
        save(tmp_path / "images" / f"{row}.png", image)
    (tmp_path / "list.csv").write_text(text)
    return load_path(tmp_path / "list.csv", **options)


def test_csv_with_names_noise_and_parts(tmp_path):
    kinds, parts = ["bird", "ant"], ["train"] * 8 + ["test"] * 2 + ["meta"] * 2
    rows = [
        f"images/{i}.png,{kinds[(i + (i < 2)) % 2]},{kinds[i % 2]},{parts[i]}" for i in range(12)
    ]
    source = _csv(tmp_path, "path,label,clean_label,split\n" + "\n".join(rows) + "\n")
    assert source.class_names == ("ant", "bird") and source.clean_known
    np.testing.assert_array_equal(source.y, [1, 0] * 4)
    np.testing.assert_array_equal(source.y_given, [0, 1] + [1, 0] * 3)
    np.testing.assert_array_equal(source.x, IMAGES[:8])
    np.testing.assert_array_equal(source.x_test, IMAGES[8:10])
    np.testing.assert_array_equal(source.meta_pool.x, IMAGES[10:12])
    np.testing.assert_array_equal(source.meta_pool.label, [1, 0])


def test_ids_are_the_rows_of_the_file_in_every_part(tmp_path):
    parts = [("test", "train", "meta", "val", "train", "")[i % 6] for i in range(12)]
    rows = [f"images/{i}.png,{i // 6},{part}\n" for i, part in enumerate(parts)]
    source = _csv(tmp_path, "path,label,split\n" + "".join(rows))
    held = {"train": source.sample_id, "test": source.test_id, "meta": source.meta_pool.sample_id}
    held["val"] = source.validation.sample_id
    for part, ids in held.items():
        assert [parts[i] or "train" for i in ids] == [part] * len(ids)
    np.testing.assert_array_equal(source.x, IMAGES[source.sample_id])
    np.testing.assert_array_equal(source.validation.x, IMAGES[source.validation.sample_id])
    assert source.path.tolist() == [f"images/{i}.png".encode() for i in source.sample_id]
    assert source.num_rows == 12 and len(np.unique(np.concatenate(list(held.values())))) == 12


def test_rows_of_several_annotators_stay_together(tmp_path):
    labels = [("ant", "bee")[(i + j) % 2] for i in range(12) for j in (0, 2, 1)]
    rows = [f"images/{row // 3}.png,{label}\n" for row, label in enumerate(labels)]
    for stream in ("off", "on"):
        source = _csv(tmp_path, "path,label\n" + "".join(rows), stream=stream)
        assert not set(source.sample_id // 3) & set(source.test_id // 3)
        assert len(source.y) + len(source.y_test) == 36 and len(source.y_test) == 6
    rows = ["images/0.png,a,train", "images/1.png,b,train", "./images/../images/0.png,a,test"]
    with pytest.raises(ValueError, match="received images/0.png in train and in test"):
        _csv(tmp_path, "path,label,split\n" + "\n".join(rows))


_ROWS = b"images/0.png,0,train\nimages/1.png,1,train\nimages/2.png,1,test\n"


@FEW
@given(content=damaged(b"path,label,split\n" + _ROWS))
def test_any_list(tmp_path, content):
    for row, image in enumerate(IMAGES[:3]):
        save(tmp_path / "images" / f"{row}.png", image)
    source = one_line(load_path, write(tmp_path / "list.csv", content))
    if source is not None:
        np.testing.assert_array_equal(source.x, IMAGES[:2][source.sample_id])


BAD_CSV = {
    "header": ("file,label\nimages/0.png,0\n", "header path,label .*received .'file', 'label'"),
    "empty": ("", r"header path,label .*received \[\]"),
    "no rows": ("path,label\n", "received only the header"),
    "short": ("path,label\nimages/0.png,0\nimages/1.png\n", "line 3 of .*received 'images/1.png'"),
    "long": ("path,label\nimages/0.png,0,1\n", "line 2 of .*list.csv"),
    "no label": ("path,label\nimages/0.png,\n", "path,label in line 2"),
    "split": ("path,label,split\nimages/0.png,0,old\n", "line 2 of .*0.png,0,old"),
    "no train": ("path,label,split\nimages/0.png,0,test\n", "rows of split train"),
    "missing": ("path,label\nimages/0.png,0\nimages/x.png,1\n", r"1 unusable: .*x.png \(missing\)"),
    "one class": ("path,label\nimages/0.png,0\nimages/1.png,0\n", "at least two classes"),
    "gap": ("path,label\nimages/0.png,0\nimages/1.png,2\n", "no example of class 1"),
    "negative": ("path,label\nimages/0.png,0\nimages/1.png,-1\n", "at least 0, received -1"),
    "new class": (
        "path,label,split\nimages/0.png,a,\nimages/1.png,b,train\nimages/2.png,c,test\n",
        "y_test: expected integers below the 2 classes, received 2",
    ),
}


@pytest.mark.parametrize("text, message", BAD_CSV.values(), ids=BAD_CSV.keys())
def test_bad_csv_is_refused(tmp_path, text, message):
    with pytest.raises(ValueError, match=message) as caught:
        _csv(tmp_path, text)
    assert "\n" not in str(caught.value)
