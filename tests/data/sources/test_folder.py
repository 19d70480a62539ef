"""Folders of images: their parts and classes, and every kind of bad folder."""

import os
import shutil

import numpy as np
import pytest

from tests.data.images.image_fixtures import IMAGES, load_path, save, save_folder
from tf_mwn.data.images.decoding import ImageFormat, read_image
from tf_mwn.data.splits.biased_data import BiasSettings, prepare

_SPELLED = [("train", "validation"), ("training", "Testing")]


def test_folder_without_test_part_is_split(tmp_path):
    order = save_folder(tmp_path, IMAGES)
    source = load_path(tmp_path)
    assert len(source.y) == 24 and np.bincount(source.y_test).tolist() == [2, 2, 2]
    np.testing.assert_array_equal(source.x, IMAGES[order][source.sample_id])
    np.testing.assert_array_equal(source.x_test, IMAGES[order][source.test_id])
    assert not source.clean_known


@pytest.mark.parametrize(("train", "name"), [("train", "val"), ("Train", "valid"), *_SPELLED])
def test_validation_stands_in_for_test_and_hidden_files_are_passed_over(tmp_path, train, name):
    save_folder(tmp_path / train, IMAGES[:12])
    save_folder(tmp_path / name, IMAGES[12:18])
    (tmp_path / train / ".DS_Store").touch()
    (tmp_path / train / "ant" / ".DS_Store").touch()
    source = load_path(tmp_path)
    assert len(source.y) == 12 and len(source.y_test) == 6 and source.validation is None


def test_every_part_is_used(tmp_path):
    parts = {"train": IMAGES[:15], "validation": IMAGES[15:21], "test": IMAGES[21:24]}
    for name, images in {**parts, "meta": IMAGES[24:]}.items():
        save_folder(tmp_path / name, images)
    data = prepare(load_path(tmp_path), BiasSettings(meta_size=6), 0)
    assert data.card["sizes"] == {"train": 15, "meta": 6, "validation": 6, "test": 3}
    for part, images in ((data.validation, IMAGES[15:21]), (data.meta, IMAGES[24:])):
        assert {x.tobytes() for x in part.x} == {x.tobytes() for x in images}
    few = prepare(load_path(tmp_path), BiasSettings(meta_size=6, validation_size=2), 0)
    assert few.card["sizes"]["validation"] == 2 and len(few.train) == 15


def test_numbers_are_in_the_order_of_numbers(tmp_path):
    names = [str(i) for i in (1, 2, 10, 11)]
    save_folder(tmp_path, IMAGES, classes=names)
    source = load_path(tmp_path)
    assert source.class_names == ("1", "2", "10", "11")
    folders = [path.decode().split("/")[0] for path in source.path]
    assert folders == [source.class_names[label] for label in source.y]
    in_order = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.glob("*/*.png"))
    assert [path.decode() for path in source.path] == [in_order[i] for i in source.sample_id]


def test_a_class_may_be_called_train(tmp_path):
    save_folder(tmp_path, IMAGES, classes=("bus", "train"))
    source = load_path(tmp_path)
    assert source.class_names == ("bus", "train") and len(source.y) == 24


def test_an_image_is_in_one_part(tmp_path, caplog):
    """A link is refused; a copy, which may be meant, is worth a line."""
    save_folder(tmp_path / "train", IMAGES[:12])
    save_folder(tmp_path / "test", IMAGES[12:18])
    copy = tmp_path / "test" / "ant" / "copy.png"
    shutil.copy(tmp_path / "train" / "ant" / "000.png", copy)
    load_path(tmp_path)
    assert "1 of the 7 test images are train images too" in caplog.text
    copy.unlink()
    copy.symlink_to(tmp_path / "train" / "ant" / "000.png")
    for stream in ("off", "on"):
        with pytest.raises(ValueError, match="received test/ant/copy.png in train and in test"):
            load_path(tmp_path, stream=stream)


@pytest.mark.parametrize("stream", ["off", "on"])
def test_rows_of_one_image_stay_on_one_side_of_every_split(tmp_path, stream):
    save_folder(tmp_path, IMAGES)
    for path in sorted(tmp_path.glob("*/*.png"))[::2]:
        for copy in ("a", "b"):
            (path.parent / f"{path.stem}{copy}.png").hardlink_to(path)
    source = load_path(tmp_path, stream=stream)
    data = prepare(source, BiasSettings(meta_size=6, validation_size=6), 0)
    parts = (data.train, data.meta, data.validation, data.test)
    images = [{x.tobytes() for x in np.asarray(part.x)} for part in parts]
    assert sum(map(len, images)) == len(set.union(*images)) == 30
    assert data.card["sizes"]["meta"] == data.card["sizes"]["validation"] == 6


@pytest.mark.parametrize("stream", ["off", "on"])
def test_a_test_part_that_is_split_off_keeps_the_names_of_its_files(tmp_path, stream):
    save_folder(tmp_path, IMAGES)
    data = prepare(load_path(tmp_path, stream=stream), BiasSettings(meta_size=0), 0)
    for part in (data.train, data.test):
        files = [str(tmp_path / os.fsdecode(p)) for p in part.path]
        named = [read_image(file, ImageFormat(*IMAGES.shape[1:])) for file in files]
        np.testing.assert_array_equal(np.asarray(part.x), named)
        classes = [os.fsdecode(p).split("/")[0] for p in part.path]
        assert classes == [data.card["class_names"][label] for label in part.label]
    assert len(set(data.train.path) | set(data.test.path)) == 30


def _empty(root):
    root.mkdir()


def _flat(root):
    save(root / "a.png", IMAGES[0])


def _one_class(root):
    save_folder(root, IMAGES, classes=("ant",))


def _empty_class(root):
    save_folder(root, IMAGES)
    (root / "dog").mkdir()


def _all_empty(root):
    (root / "ant").mkdir(parents=True)
    (root / "bee").mkdir()


def _other_files(root):
    save_folder(root, IMAGES)
    for name in ("a.txt", "b.gif"):
        (root / "bee" / name).touch()


def _new_class(root):
    save_folder(root / "train", IMAGES)
    save_folder(root / "test", 255 - IMAGES, classes=("ant", "elk"))


def _unknown_part(root):
    save_folder(root / "train", IMAGES)
    save_folder(root / "holdout", 255 - IMAGES)


def _two_tests(root):
    save_folder(root / "train", IMAGES)
    save_folder(root / "val", 255 - IMAGES)
    save_folder(root / "validation", IMAGES // 2)


BAD_FOLDERS = [
    (_empty, "received an empty folder"),
    (_flat, "received a folder without class folders"),
    (_one_class, "two class folders or more in .*, received only ant"),
    (_empty_class, "images in .*dog, received an empty folder"),
    (_all_empty, "received none in any class folder"),
    (_other_files, "received 2 others: bee/a.txt, bee/b.gif"),
    (_unknown_part, "train, test, validation or meta in .*, received holdout, which holds classes"),
    (_two_tests, "one validation part in .*, received val and validation"),
    (_new_class, "every class of .*test among the 3 of train, received elk"),
]


@pytest.mark.parametrize("make, message", BAD_FOLDERS)
def test_bad_folders_are_refused(tmp_path, make, message):
    make(tmp_path / "data")
    with pytest.raises(ValueError, match=message) as caught:
        load_path(tmp_path / "data")
    assert "\n" not in str(caught.value)
