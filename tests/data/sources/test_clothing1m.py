"""Clothing1M's layout, in small."""

import numpy as np
import pytest

from tests.data.images.image_fixtures import pictures, save
from tf_mwn.data.sources import loading
from tf_mwn.data.splits import biased_data

PARTS = {"noisy_train": 28, "clean_train": 14, "clean_val": 28, "clean_test": 14}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TF_MWN_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "clothing"
    lines = {"noisy": [], "clean": []}
    for number, (part, size) in enumerate(PARTS.items()):
        keys = [f"images/{number}/{row} a.jpg" for row in range(size)]  # a key may hold a space
        for key, image in zip(keys, pictures(size, (12, 16, 3), number), strict=True):
            save(root / key, image)
        (root / f"{part}_key_list.txt").write_text("\n".join(keys) + "\n")
        kind = part.split("_")[0]
        shift = 1 if kind == "noisy" else 0
        lines[kind] += [f"{key} {(row + shift) % 14}" for row, key in enumerate(keys)]
    for kind, text in lines.items():
        (root / f"{kind}_label_kv.txt").write_text("\n".join(text) + "\n")
    return root


@pytest.mark.parametrize("stream", ["off", "on"])
def test_noisy_list_trains_and_clean_lists_are_meta_and_test(folder, stream):
    source = loading.load(str(folder), stream=stream, image_size=8)
    np.testing.assert_array_equal(source.y, (np.arange(28) + 1) % 14)
    np.testing.assert_array_equal(source.meta_pool.label, np.arange(28) % 14)
    np.testing.assert_array_equal(source.y_test, np.arange(14))
    assert source.x.shape == (28, 8, 8, 3) and not source.clean_known
    assert len(source.class_names) == 14 and source.class_names[0] == "T-Shirt"
    data = biased_data.prepare(source, biased_data.BiasSettings(meta_size=14), 0)
    assert len(data.train) == 28 and data.train.clean_label is None
    assert data.card["meta"]["from"] == "clean examples apart"


def test_clean_list_and_default_size(folder):
    source = loading.load(str(folder), train_list="clean")
    np.testing.assert_array_equal(source.y, np.arange(14))
    assert source.clean_known and source.x.shape == (14, 224, 224, 3)


def _edit(folder, name, change):
    path = folder / name
    path.write_text(change(path.read_text()))


BAD = {
    "missing": (lambda f: (f / "clean_val_key_list.txt").unlink(), "name clean_val_key_list.txt"),
    "empty": (lambda f: _edit(f, "clean_label_kv.txt", lambda t: ""), "received an empty file"),
    "label": (
        lambda f: _edit(f, "noisy_label_kv.txt", lambda t: t.replace(" 1\n", " 14\n", 1)),
        "0 to 13 in line 1 of .*noisy_label_kv.txt, received 'images/0/0 a.jpg 14'",
    ),
    "word": (lambda f: _edit(f, "clean_label_kv.txt", lambda t: "x\n" + t), "line 1 of .*'x'"),
    "no label": (
        lambda f: _edit(f, "noisy_label_kv.txt", lambda t: t.partition("\n")[2]),
        "received none for 1, the first images/0/0 a.jpg",
    ),
    "no image": (lambda f: (f / "images/3/2 a.jpg").unlink(), r"1 unusable: images/3/2 a.jpg \(mi"),
}


@pytest.mark.parametrize("change, message", BAD.values(), ids=BAD.keys())
def test_bad_lists_are_refused(folder, change, message):
    change(folder)
    with pytest.raises(ValueError, match=message) as caught:
        loading.load(str(folder), image_size=8)
    assert "\n" not in str(caught.value)


def test_unknown_list_is_refused(folder):
    with pytest.raises(ValueError, match="train_list: expected one of clean, noisy"):
        loading.load(str(folder), train_list="val")
