"""Decoding: one image by hand, and photographs that were turned."""

import numpy as np
from PIL import Image

from tests.data.images.image_fixtures import save
from tf_mwn.data.images.decoding import ImageFormat, examine, read_image


def test_one_image_by_hand(tmp_path):
    image = np.arange(32, dtype=np.uint8).reshape(4, 8, 1)
    path = str(save(tmp_path / "a.png", image))
    np.testing.assert_array_equal(read_image(path, ImageFormat(4, 8, 1)), image)
    np.testing.assert_array_equal(read_image(path, ImageFormat(4, 4, 1)), image[:, 2:6])
    wide = read_image(path, ImageFormat(2, 2, 3, margin=2.0))
    np.testing.assert_array_equal(wide, np.repeat(image[1:3, 3:5], 3, axis=2))


def test_turned_photographs_are_turned_back(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.fromarray(np.repeat(np.array([[0, 255]], np.uint8), 8, axis=1).repeat(8, axis=0))
    image.save(tmp_path / "a.jpg", exif=exif, quality=100)
    size, channels = examine(str(tmp_path / "a.jpg"))
    assert size == (8, 16) and channels == 1
    turned = read_image(str(tmp_path / "a.jpg"), ImageFormat(16, 8, 1))
    assert turned[0].max() < 10 and turned[-1].min() > 245
