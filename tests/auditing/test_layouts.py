"""Cleaned data sets read back equal by the package's own readers, in each layout."""

import dataclasses
import shutil

import numpy as np
import pytest

from tests.auditing.cleaned_sets import (
    GIVEN,
    IMAGES,
    NAMES,
    TRUE,
    audited,
    clean,
    image_of,
    save_images,
    save_list,
)
from tests.data.images.image_fixtures import save
from tf_mwn.auditing.cleaning import Outcome
from tf_mwn.auditing.layouts import write_folder, write_label_file
from tf_mwn.data.bias.label_file import read_labels
from tf_mwn.data.sources.loading import load, read
from tf_mwn.files import read_columns

EVERYTHING = np.arange(60)


def content(root):
    """Every file below a folder with its bytes and its time."""
    files = [path for path in root.rglob("*") if path.is_file()]
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


@pytest.mark.parametrize("part", ["", "train"])
def test_a_folder(tmp_path, part):
    source = save_images(tmp_path / "so urce", part)
    if not part:
        shutil.rmtree(source / "test")
    before = content(source)
    run, audit = audited(source)
    seen = {image_of(path) for path in audit.path}
    for action in ("relabel", "drop", "weight"):
        new = tmp_path / "deep" / action
        report, written = clean(run, audit, new, action)
        assert written == [new, new / "changes.csv"] and content(source) == before
        raw = read(str(new))
        found = dict(zip(map(image_of, raw.path), raw.y.tolist(), strict=True))
        expected = {i: GIVEN[i] for i in EVERYTHING}
        if action == "relabel":
            expected |= {i: TRUE[i] for i in seen}
        if action == "drop":
            expected = {i: k for i, k in expected.items() if i not in seen or k == TRUE[i]}
        assert {i: NAMES.index(raw.class_names[k]) for i, k in found.items()} == expected
        for path, image in zip(raw.path, raw.x, strict=True):
            np.testing.assert_array_equal(image, IMAGES[image_of(path)])
        assert (raw.x_test is not None) == bool(part)
    columns = read_columns(new / "weights.csv")
    assert columns["path"] == raw.path  # in the order of the reader
    weights = dict(zip(map(image_of, raw.path), map(float, columns["weight"]), strict=True))
    assert all((weights[i] < 0.5) == (GIVEN[i] != TRUE[i]) for i in seen)
    assert all(weights[i] == 1 for i in EVERYTHING if i not in seen)


def test_images_of_equal_content_or_name_are_told_apart_by_path(tmp_path):
    """Two classes hold a file of one name, and one image lies in both under its own label."""
    source = tmp_path / "source"
    for name, first in (("ant", 0), ("bee", 20)):
        for i in range(20):
            save(source / name / f"{i}.png", IMAGES[first + i])
    save(source / "bee" / "copy.png", IMAGES[3])  # an ant
    (source / "bee" / "linked.png").hardlink_to(source / "ant" / "4.png")
    wrong = {"bee/copy.png", "bee/linked.png", "bee/0.png"}
    true = {"ant": 0, "bee": 1}
    number = {}
    for path in source.rglob("*.png"):
        rel = str(path.relative_to(source))
        number[rel] = (2 * len(number)) + (0 if rel in wrong else true[path.parent.name])
    run, audit = audited(source, number.get, true=np.arange(200) % 2)
    seen = set(audit.path) & wrong
    assert seen  # a fifth is held out for the test
    clean(run, audit, tmp_path / "new", "relabel")
    raw = read(str(tmp_path / "new"))
    names = [raw.class_names[k] for k in raw.y]
    assert names.count("ant") == 20 + len(seen) and len(raw.y) == 42
    columns = read_columns(tmp_path / "new" / "changes.csv")
    for old, new in zip(columns["path"], columns["new_path"], strict=True):
        assert new.startswith("ant/") and old in seen
        np.testing.assert_array_equal(
            (source / old).read_bytes(), (tmp_path / "new" / new).read_bytes()
        )
    if "bee/0.png" in seen:
        assert columns["new_path"][columns["path"].index("bee/0.png")] == "ant/0_2.png"


def test_a_class_that_only_the_clean_set_has(tmp_path):
    """An image can be given it; the folder of the class is made."""
    source = tmp_path / "source"
    for i in range(12):
        save(source / "train" / ("ant", "bee")[i % 2] / f"{i}.png", IMAGES[i])
    save(source / "meta" / "elk" / "1.png", IMAGES[20])
    path = [f"train/ant/{i}.png" for i in range(0, 12, 2)]
    label = np.array([2, 0, 0, 0, 0, 0])
    ids, kept = np.arange(6), np.ones(6, bool)
    result = Outcome(ids, np.zeros(6, int), label, kept, None, np.full(6, "person", object))
    (tmp_path / "new").mkdir()
    new = write_folder(str(source), tmp_path / "new", result, path, ("ant", "bee", "elk"))
    assert new == ["train/elk/0.png", *path[1:]]
    assert (tmp_path / "new" / "meta" / "elk" / "1.png").is_file()
    assert read(str(tmp_path / "new")).class_names == ("ant", "bee", "elk")


CLEAN_ONLY = np.where(EVERYTHING == 0, 3, TRUE)  # a class that no given label has
SPLITS = np.where(EVERYTHING < 48, "train", np.where(EVERYTHING < 54, "Test", "meta"))
NUMBERS = [str(k) if i % 2 else f"0{k}" for i, k in enumerate(GIVEN)]
LISTS = {
    "names": dict(header=("path", "label")),
    "numbers": dict(header=("path", "label"), label=NUMBERS),
    "parts": dict(header=("path", "label", "split"), split=SPLITS),
    "weights": dict(header=("path", "label", "weight", "split"), split=SPLITS, weight=[0.5] * 60),
    "clean": dict(
        header=("path", "label", "split", "clean_label"),
        split=SPLITS,
        clean_label=[(*NAMES, "鳥")[k] for k in CLEAN_ONLY],
    ),
}


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("place", ["", "other/place"])
def test_a_list(tmp_path, kind, place):
    path = save_list(tmp_path, **LISTS[kind])
    before = content(tmp_path)
    true = CLEAN_ONLY if kind == "clean" else TRUE
    run, audit = audited(path, true=true)
    seen = {image_of(p) for p in audit.path}
    old = read(str(path))
    for action in ("relabel", "drop", "weight"):
        new = tmp_path / place / f"{action}.csv"
        if kind == "clean" and action == "drop":
            with pytest.raises(ValueError, match="every class to keep .* received none for 鳥"):
                clean(run, audit, new, action)
            continue
        _, written = clean(run, audit, new, action)
        assert written == [new, new.with_name(f"{action}_changes.csv")]
        raw = read(str(new))
        names = raw.class_names or tuple("0123")
        given = raw.y if raw.y_given is None else raw.y_given
        expected = dict(zip(EVERYTHING.tolist(), GIVEN.tolist(), strict=True))
        if "split" in LISTS[kind]["header"]:
            expected = {i: k for i, k in expected.items() if i < 48}
        if action == "relabel":
            expected |= {i: int(true[i]) for i in seen}
        if action == "drop":
            expected = {i: k for i, k in expected.items() if i not in seen or k == true[i]}
        order = list(expected)
        assert [image_of(p) for p in raw.path] == order
        assert given.tolist() == list(expected.values()) and names == (old.class_names or names)
        np.testing.assert_array_equal(raw.x, IMAGES[order])
        if raw.x_test is not None:
            np.testing.assert_array_equal(raw.x_meta, IMAGES[54:])
            np.testing.assert_array_equal(raw.y_test, old.y_test)
        if kind == "clean":
            np.testing.assert_array_equal(raw.y, true[order])
    columns = read_columns(new)
    weights = {
        image_of(p): float(w) for p, w in zip(columns["path"], columns["weight"], strict=True)
    }
    assert all((weights[i] < 0.5) == (GIVEN[i] != true[i]) for i in seen)
    after = content(tmp_path)
    assert {file: after[file] for file in before} == before


TEST = {"x_test": 255 - IMAGES[:9], "y_test": TRUE[:9]}
ARRAYS = {
    "plain": {},
    "ids": {"sample_id": 1_700_000_000_000_000_000 + 7 * EVERYTHING, "class_names": NAMES},
    "clean": {"y_clean": CLEAN_ONLY, "class_names": (*NAMES, "鳥"), **TEST},
    "coarse": {"y_coarse": np.array([5, 1, 0])[GIVEN], **TEST},
    "own": {"note": np.arange(3), "weight": np.full(60, 0.25), **TEST},
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_an_npz_file(tmp_path, kind):
    arrays = {"x": IMAGES, "y": GIVEN.astype("uint8"), **ARRAYS[kind]}
    np.savez(tmp_path / "a.npz", **arrays)
    before = content(tmp_path)
    ids = arrays.get("sample_id", EVERYTHING)
    true = np.asarray(arrays.get("y_clean", TRUE))
    by_id = dict(zip(ids.tolist(), true.tolist(), strict=True))
    run, audit = audited(tmp_path / "a.npz", true=by_id)
    seen = np.isin(ids, audit.sample_id)
    assert seen.sum() >= 40
    for action in ("relabel", "drop", "weight"):
        new = tmp_path / f"{action}.NPZ"
        if kind == "clean" and action == "drop":
            continue  # as of a list
        clean(run, audit, new, action)
        with np.load(new) as archive:
            found = dict(archive)
        kept = np.ones(60, bool) if action != "drop" else ~seen | (GIVEN == true)
        given = np.where(seen, true, GIVEN) if action == "relabel" else GIVEN
        np.testing.assert_array_equal(found["y"], given[kept])
        np.testing.assert_array_equal(found["x"], IMAGES[kept])
        for name in set(arrays) - {"x", "y", "y_coarse", "weight"}:
            rows = kept if len(arrays[name]) == 60 else slice(None)
            np.testing.assert_array_equal(found[name], np.asarray(arrays[name])[rows])
        source = load(str(new))
        held_out = 0 if "x_test" in arrays else len(source.y_test)
        assert len(source.y) + held_out == kept.sum()
        if kind == "coarse":
            assert source.coarse.tolist() == [5, 1, 0]
        assert ("weight" in found) == (action == "weight" or kind == "own")
        if kind == "own" and action == "drop":
            assert found["weight"].shape == (kept.sum(),) and (found["weight"] == 0.25).all()
    assert ((found["weight"] < 0.5) == (seen & (GIVEN != true))).all()
    assert {file: content(tmp_path)[file] for file in before} == before


@pytest.mark.parametrize("suffix", [".csv", ".npz"])
@pytest.mark.parametrize("names", [None, ("7", "10", "08")])
def test_a_label_file(tmp_path, suffix, names):
    """Of a set that has a name: here digits, and others whose classes are called by numbers."""
    source = load("digits")
    if names:
        chosen = np.flatnonzero(source.y < 3)
        source = dataclasses.replace(
            source,
            **{name: getattr(source, name)[chosen] for name in ("x", "y", "sample_id")},
            class_names=names,
        )
    labels = (source.y + (source.sample_id % 5 == 0)) % len(source.class_names)
    half = np.arange(0, len(labels), 2)
    right = Outcome(
        source.sample_id[half],
        labels[half],
        source.y[half],
        np.ones(len(half), bool),
        np.linspace(0, 1, len(half), dtype="float32"),
        np.full(len(half), "audit", object),
    )
    path = tmp_path / f"labels{suffix}"
    write_label_file(path, right, source, labels, source.class_names)
    expected = labels.copy()
    expected[half] = source.y[half]
    np.testing.assert_array_equal(read_labels(str(path), source), expected)
    weights = np.ones(len(labels))
    weights[half] = right.weight
    if suffix == ".csv":
        found = np.array(read_columns(path)["weight"], float)
    else:
        found = np.load(path)["weight"]
    np.testing.assert_allclose(found, weights, rtol=1e-6)
