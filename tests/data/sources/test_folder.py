"""Folders of images: their parts and classes, and every kind of bad folder."""

import numpy as np
import pytest

from tests.data.images.image_fixtures import IMAGES, load_path, save, save_folder


def test_folder_without_test_part_is_split(tmp_path):
    order = save_folder(tmp_path, IMAGES)
    source = load_path(tmp_path)
    assert len(source.y) == 24 and np.bincount(source.y_test).tolist() == [2, 2, 2]
    np.testing.assert_array_equal(source.x, IMAGES[order][source.sample_id])
    np.testing.assert_array_equal(source.x_test, IMAGES[order][source.test_id])
    assert not source.clean_known


def test_val_stands_in_for_test_and_hidden_files_are_passed_over(tmp_path):
    save_folder(tmp_path / "train", IMAGES[:12])
    save_folder(tmp_path / "val", IMAGES[12:18])
    (tmp_path / "train" / ".DS_Store").touch()
    (tmp_path / "train" / "ant" / ".DS_Store").touch()
    source = load_path(tmp_path)
    assert len(source.y) == 12 and len(source.y_test) == 6


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
    save_folder(root / "test", IMAGES, classes=("ant", "elk"))


BAD_FOLDERS = [
    (_empty, "received an empty folder"),
    (_flat, "received a folder without class folders"),
    (_one_class, "two class folders or more in .*, received ant alone"),
    (_empty_class, "images in .*dog, received an empty folder"),
    (_all_empty, "received none in any class folder"),
    (_other_files, "received 2 others: bee/a.txt, bee/b.gif"),
    (_new_class, "every class of .*test among the 3 of train, received elk"),
]


@pytest.mark.parametrize("make, message", BAD_FOLDERS)
def test_bad_folders_are_refused(tmp_path, make, message):
    make(tmp_path / "data")
    with pytest.raises(ValueError, match=message) as caught:
        load_path(tmp_path / "data")
    assert "\n" not in str(caught.value)
