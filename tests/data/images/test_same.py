"""Which images are the same, by content and by file."""

import numpy as np

from tests.data.images.image_fixtures import IMAGES, save
from tf_mwn.data.images.decoding import ImageFormat
from tf_mwn.data.images.files import ImageFiles
from tf_mwn.data.images.same import same_images


def test_same_images_by_hand(tmp_path):
    assert same_images(IMAGES) is None
    rows = [3, 1, 3, 0, 1, 3]
    np.testing.assert_array_equal(same_images(IMAGES[rows]), [0, 1, 0, 3, 1, 0])
    # Contents that differ in zeros alone.
    assert same_images(np.array([0, 1], np.uint8).reshape(2, 1, 1, 1)) is None
    paths = [save(tmp_path / f"{row}.png", IMAGES[0]) for row in range(2)]
    (tmp_path / "2.png").hardlink_to(paths[0])
    (tmp_path / "3.png").symlink_to(paths[1])
    names = np.array([bytes(tmp_path / f"{row}.png") for row in range(4)])
    files = ImageFiles(names, ImageFormat(6, 5), np.zeros(4, np.uint64))
    np.testing.assert_array_equal(same_images(files), [0, 1, 0, 1])
