"""Data URIs of images: exact where they are small, scaled where their values are no bytes."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from tests.data.images.image_fixtures import pictures, save
from tf_mwn.auditing.thumbnails import thumbnails
from tf_mwn.data.images.decoding import ImageFormat
from tf_mwn.data.images.files import ImageFiles

COLOUR = pictures(150)
GREY = COLOUR[..., :1]


def decoded(uris):
    contents = [base64.b64decode(uri.partition("base64,")[2]) for uri in uris]
    return np.stack([np.asarray(Image.open(io.BytesIO(content))) for content in contents])


def test_small_images_keep_their_pixels_and_the_order_of_the_rows():
    rows = np.arange(150)[::-1]
    np.testing.assert_array_equal(decoded(thumbnails(COLOUR, rows)), COLOUR[::-1])


@pytest.mark.parametrize("x", [GREY / 255 - 0.5, GREY.astype("float32"), GREY // 16])
def test_other_values_are_scaled_from_the_least_to_the_largest(x):
    found = decoded(thumbnails(x, np.arange(150)))
    low, high = x.min(), x.max()
    np.testing.assert_allclose(found, 255 * ((x[..., 0] - low) / (high - low)), atol=0.51)


def test_files_are_shown_as_they_are(tmp_path):
    paths = [str(save(tmp_path / f"{i}.png", image // 2)) for i, image in enumerate(GREY[:3])]
    files = ImageFiles(np.array(paths, "S"), ImageFormat(6, 5, 1), np.zeros(3, np.uint64))
    np.testing.assert_array_equal(decoded(thumbnails(files, np.arange(3))), GREY[:3, ..., 0] // 2)


def test_large_images_become_small_jpegs():
    x = np.full((1, 300, 200, 3), 90, np.uint8)
    (uri,) = thumbnails(x, np.arange(1))
    assert uri.startswith("data:image/jpeg;base64,") and decoded([uri]).shape == (1, 96, 64, 3)
    assert np.abs(decoded([uri]).astype(int) - 90).max() < 3


@pytest.mark.parametrize("shape", [(4, 3), (4, 5, 5, 2), (0, 5, 5, 3)])
def test_what_has_no_picture(shape):
    assert thumbnails(np.zeros(shape), np.arange(shape[0])) == []
