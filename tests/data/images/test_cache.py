"""The cache of decoded images: when it is used and when it is made again."""

import os

import numpy as np
import pytest

from tests.data.images.image_fixtures import IMAGES, load_path, save, save_folder
from tf_mwn.data.images import cache as image_cache
from tf_mwn.data.sources.location import DataLocation


def test_second_load_comes_from_the_cache_and_a_change_does_not(tmp_path, cache, monkeypatch):
    order = save_folder(tmp_path, IMAGES)
    first = load_path(tmp_path)
    assert sorted(name.rpartition(".")[2] for name in os.listdir(cache)) == ["json", "npz"]
    with monkeypatch.context() as broken:
        broken.setattr("tf_mwn.data.images.lists.read_image", None)
        broken.setattr("tf_mwn.data.images.lists.examine", None)
        np.testing.assert_array_equal(load_path(tmp_path).x, first.x)
    save(tmp_path / "ant" / "000.png", 255 - IMAGES[0])
    os.utime(tmp_path / "ant" / "000.png", ns=(1, 1))
    changed = load_path(tmp_path)
    together = np.concatenate([changed.x, changed.x_test])
    ids = np.concatenate([changed.sample_id, changed.test_id])
    np.testing.assert_array_equal(together[ids == 0][0], 255 - IMAGES[order][0])


def test_damaged_cache_is_made_again_and_a_lost_one_is_a_warning(tmp_path, cache):
    save_folder(tmp_path / "data", IMAGES)
    first = load_path(tmp_path / "data")
    for name in os.listdir(cache):
        (cache / name).write_bytes((cache / name).read_bytes()[:100])
    np.testing.assert_array_equal(load_path(tmp_path / "data").x, first.x)
    (tmp_path / "file").touch()
    with pytest.warns(UserWarning, match="images are not cached in"):
        again = load_path(
            tmp_path / "data", location=DataLocation(cache_dir=str(tmp_path / "file"))
        )
    np.testing.assert_array_equal(again.x, first.x)


def test_cache_holds_no_half_written_file(tmp_path):
    def fail(file):
        file.write_bytes(b"half")
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        image_cache._write(str(tmp_path / "x.npz"), fail)
    assert not os.listdir(tmp_path)


def test_folders_of_the_same_names_sizes_and_times_are_not_mistaken(tmp_path):
    """As two unpacked archives are, whose pictures have no compression."""
    for name in ("one", "two"):
        images = IMAGES if name == "one" else 255 - IMAGES
        save_folder(tmp_path / name, images)
        for path in (tmp_path / name).glob("*/*"):
            path.write_bytes(path.read_bytes().ljust(200, b"\0"))
            os.utime(path, ns=(1, 1))
    one, two = load_path(tmp_path / "one"), load_path(tmp_path / "two")
    np.testing.assert_array_equal(one.x, 255 - two.x)
    os.rename(tmp_path / "one", tmp_path / "gone")
    os.rename(tmp_path / "two", tmp_path / "one")
    np.testing.assert_array_equal(load_path(tmp_path / "one").x, two.x)
