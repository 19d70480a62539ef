"""Lists of image files: colour, sizes, and files that are broken."""

import numpy as np
import pytest
from PIL import Image

from tests.data.images.image_fixtures import IMAGES, load_path, pictures, save, save_folder


def test_grey_images_stay_grey_unless_one_has_colour(tmp_path):
    save_folder(tmp_path / "grey", pictures(9, (6, 5, 1)))
    assert load_path(tmp_path / "grey").x.shape[1:] == (6, 5, 1)
    save(tmp_path / "grey" / "ant" / "colour.png", IMAGES[0])
    assert load_path(tmp_path / "grey").x.shape[1:] == (6, 5, 3)


def test_images_of_any_size_are_scaled_and_cropped(tmp_path):
    for row, shape in enumerate([(8, 16, 3), (16, 8, 3), (4, 4, 3), (8, 8, 3)] * 3):
        image = np.zeros(shape, np.uint8)
        image[:, : shape[1] // 2], image[:, shape[1] // 2 :] = 40, 200
        save(tmp_path / f"c{row % 2}" / f"{row}.jpg", image)
    with pytest.raises(ValueError, match="one size in .*, received .*: add --image_size=PIXELS"):
        load_path(tmp_path)
    source = load_path(tmp_path, image_size=8)
    assert source.x.shape[1:] == (8, 8, 3)
    np.testing.assert_allclose(source.x[:, :, 0].mean(axis=(1, 2)), 40, atol=8)
    np.testing.assert_allclose(source.x[:, :, -1].mean(axis=(1, 2)), 200, atol=8)


def _break(path, kind):
    whole = path.read_bytes()
    path.write_bytes({"text": b"no image", "empty": b"", "half": whole[: len(whole) // 2]}[kind])


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("kind", ["text", "empty", "half"])
@pytest.mark.parametrize("stream", ["off", "on"])
def test_broken_files_are_listed(tmp_path, suffix, kind, stream):
    save_folder(tmp_path, IMAGES, suffix=suffix)
    for row in range(7):
        _break(tmp_path / ("ant", "bee", "cat")[row % 3] / f"{row:03d}.{suffix}", kind)
    with pytest.raises(ValueError, match="received 7 unusable, the first 5: ant.000") as caught:
        load_path(tmp_path, stream=stream)
    assert str(caught.value).count(f".{suffix} (") == 5 and "\n" not in str(caught.value)


def test_images_of_sixteen_bits_are_refused(tmp_path):
    save_folder(tmp_path, IMAGES)
    Image.fromarray(np.zeros((6, 5), np.uint16)).save(tmp_path / "ant" / "000.png")
    with pytest.raises(ValueError, match=r"1 unusable: ant.000.png \(more than 8 bits"):
        load_path(tmp_path)
