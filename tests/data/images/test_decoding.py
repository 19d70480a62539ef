"""Decoding: one image by hand, turned photographs, and every file that is not what it seems."""

import io
import resource
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from PIL import Image

from tests.damage import FEW, damaged, one_line, write
from tests.data.images.image_fixtures import load_path, pictures, save, save_folder
from tf_mwn.data.images.decoding import (
    ImageFormat,
    UnreadableImageError,
    check_scale,
    examine,
    fit_images,
    read_image,
)
from tf_mwn.data.images.files import ImageFiles


def test_one_image_by_hand(tmp_path):
    image = np.arange(32, dtype=np.uint8).reshape(4, 8, 1)
    path = str(save(tmp_path / "a.png", image))
    np.testing.assert_array_equal(read_image(path, ImageFormat(4, 8, 1)), image)
    np.testing.assert_array_equal(read_image(path, ImageFormat(4, 4, 1)), image[:, 2:6])
    wide = read_image(path, ImageFormat(2, 2, 3, margin=2.0))
    np.testing.assert_array_equal(wide, np.repeat(image[1:3, 3:5], 3, axis=2))


def _exif(*entries) -> bytes:
    """EXIF data of (tag, type, count, value of at most 4 bytes)."""
    packed = [struct.pack("<HHI4s", *entry) for entry in entries]
    content = struct.pack("<H", len(packed)) + b"".join(packed) + bytes(4)
    return b"Exif\0\0II*\0" + struct.pack("<I", 8) + content


TURNED = {
    "a number": _exif((0x0112, 3, 1, b"\6")),
    "text": _exif((0x0112, 2, 2, b"6")),
    # A width that is a rational number at an odd place, as in Pillow's issue 8965.
    "beside a tag of a wrong type": _exif((0x0100, 5, 1, b"\x08"), (0x0112, 3, 1, b"\6")),
}


@pytest.mark.parametrize("exif", TURNED.values(), ids=TURNED)
def test_turned_photographs_are_turned_back(tmp_path, exif):
    image = Image.fromarray(np.repeat(np.array([[0, 255]], np.uint8), 8, axis=1).repeat(8, axis=0))
    image.save(tmp_path / "a.jpg", exif=exif, quality=100)
    assert examine(str(tmp_path / "a.jpg")) == ((8, 16), 1, False)
    turned = read_image(str(tmp_path / "a.jpg"), ImageFormat(16, 8, 1))
    assert turned[0].max() < 10 and turned[-1].min() > 245


@pytest.mark.parametrize("orientation", range(10))
def test_every_orientation_is_that_of_pillow(tmp_path, orientation):
    from PIL import ImageOps

    image = pictures(1, (4, 6, 3))[0]
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(image).save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as opened:
        wanted = np.asarray(ImageOps.exif_transpose(opened))
    (width, height), _, _ = examine(str(tmp_path / "a.png"))
    found = read_image(str(tmp_path / "a.png"), ImageFormat(height, width))
    np.testing.assert_array_equal(found, wanted)


def test_an_orientation_that_is_no_number_is_named(tmp_path):
    Image.new("L", (8, 8)).save(tmp_path / "a.jpg", exif=_exif((0x0112, 2, 4, b"top")))
    with pytest.raises(ValueError, match="an EXIF orientation of 'top'"):
        examine(str(tmp_path / "a.jpg"))
    with pytest.raises(UnreadableImageError, match="received .*a.jpg .an EXIF orientation of"):
        read_image(str(tmp_path / "a.jpg"), ImageFormat(8, 8))


def _jpeg(**options) -> bytes:
    file = io.BytesIO()
    first, second = (Image.fromarray(image) for image in pictures(2, (16, 16, 3)))
    more = {"save_all": True, "append_images": [second]} if options.get("format") == "MPO" else {}
    first.save(file, **{"format": "JPEG", **options, **more})
    return file.getvalue()


def test_photographs_with_more_behind_them_are_whole(tmp_path):
    plain = write(tmp_path / "a.jpg", _jpeg())
    wanted = read_image(plain, ImageFormat(16, 16))
    for content in (_jpeg(format="MPO"), _jpeg() + bytes(9000), _jpeg() + b"ftypmp42" * 2000):
        path = write(tmp_path / "b.jpg", content)
        assert examine(path) == ((16, 16), 3, False)
        np.testing.assert_array_equal(read_image(path, ImageFormat(16, 16)), wanted)
    # The thumbnail of a camera ends like the whole file, so that an end proves nothing.
    exif = b"\xff\xe1\x00\x10Exif\0\0\xff\xd9\xff\xd9\xff\xd9\xff\xd9"
    write(tmp_path / "d.jpg", _jpeg()[:2] + exif + _jpeg()[2:-60])
    with pytest.raises(ValueError, match="truncated"):
        examine(str(tmp_path / "d.jpg"))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
@pytest.mark.parametrize("ink", [0, 255])
def test_drawings_in_the_alpha_channel_are_seen(tmp_path, mode, ink):
    alpha = np.zeros((8, 8), np.uint8)
    alpha[2:4, 3:6] = 255
    if mode == "P":  # one of the colours is transparent
        image = Image.fromarray(alpha // 255).convert("P")
        image.putpalette([7, 7, 7, ink, ink, ink])
        image.save(tmp_path / "a.png", transparency=0)
    else:
        bands = [np.full_like(alpha, ink)] * (len(mode) - 1)
        Image.fromarray(np.stack([*bands, alpha], axis=-1)).save(tmp_path / "a.png")
    _, channels, transparent = examine(str(tmp_path / "a.png"))
    assert channels == (1 if mode == "LA" else 3) and transparent
    found = read_image(str(tmp_path / "a.png"), ImageFormat(8, 8, channels))
    np.testing.assert_array_equal(found[..., 0], np.where(alpha, ink, 128))


def test_an_opaque_alpha_channel_changes_nothing(tmp_path):
    image = pictures(1, (8, 8, 4))[0]
    image[..., 3] = 255
    Image.fromarray(image).save(tmp_path / "a.png")
    found = read_image(str(tmp_path / "a.png"), ImageFormat(8, 8))
    np.testing.assert_array_equal(found, image[..., :3])


def _png(width, height, bits=8, colour=2, content=b"") -> bytes:
    def chunk(name, data):
        digest = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + digest

    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(content)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _animation() -> bytes:
    file = io.BytesIO()
    frames = [Image.fromarray(image) for image in pictures(3, (4, 4, 3))]
    frames[0].save(file, format="PNG", save_all=True, append_images=frames[1:])
    return file.getvalue()


def _flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


SIXTEEN = _png(2, 2, bits=16, content=bytes([0, *range(12)] * 2))
UNUSABLE = {
    "a bomb": (_png(100_000, 100_000), "limit of"),
    "a smaller bomb": (_png(9_000, 9_000), "9000x9000, more than"),
    "16 bits in colour": (SIXTEEN, r"more than 8 bits per channel \(16\)"),
    "16 bits of grey": (_png(2, 2, 16, 0, bytes(10)), r"more than 8 bits per channel \(16\)"),
    "an animation": (_animation(), "an animation of 3 pictures"),
    "a flipped bit": (_flipped(_png(4, 4, content=bytes(52)), 45), "."),
    "no pixels": (_png(4, 4), "."),
    "another format": (b"GIF89a" + bytes(40), "no JPEG or PNG image"),
}


@pytest.mark.parametrize("content, reason", UNUSABLE.values(), ids=UNUSABLE)
def test_what_cannot_be_read_rightly_is_named(tmp_path, content, reason):
    path = write(tmp_path / "a.png", content)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match=reason):
        examine(path)
    with pytest.raises(UnreadableImageError, match=reason):
        read_image(path, ImageFormat(4, 4))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**15  # KiB


@pytest.mark.parametrize("name", ["photo.jpg", "icon.png"])
def test_any_file(tmp_path, name):
    file = io.BytesIO()
    image = Image.fromarray(pictures(1, (8, 8, 3))[0])
    image.save(file, format="JPEG" if name.endswith("jpg") else "PNG")

    @FEW
    @given(content=damaged(file.getvalue()))
    def run(content):
        path = write(tmp_path / name, content)
        facts = one_line(examine, path)
        found = one_line(read_image, path, ImageFormat(8, 8))
        assert (facts is None) == (found is None)
        if found is not None and name.endswith("png"):
            np.testing.assert_array_equal(found, np.asarray(image))

    run()


def test_transparent_parts_are_said_to_be_laid_on_grey(tmp_path, caplog):
    order = save_folder(tmp_path, pictures(12, (6, 5, 4)))
    assert len(order) == 12
    with caplog.at_level("INFO", logger="tf_mwn"):
        load_path(tmp_path)
    assert "12 images have transparent parts, which are laid on grey (128)" in caplog.text


@pytest.mark.parametrize("dtype", ["float16", "float32", "uint16"])
def test_numbers_are_fitted_on_their_scale(dtype):
    """As the same images of bytes, but for rounding, and of the same type."""
    pixels, factor = pictures(3, (12, 9, 3)), 257 if dtype == "uint16" else 1 / 255
    images = (pixels * np.float64(factor)).astype(dtype)
    for shape in ((6, 6, 3), (12, 9, 1), (20, 30, 1)):
        found = fit_images(images, shape, "x")
        assert found.dtype == dtype and found.shape == (3, *shape)
        wanted = fit_images(pixels, shape, "x")
        np.testing.assert_allclose(found / factor, wanted, atol=2)
        assert images.min() <= found.min() and found.max() <= images.max()
    grey = fit_images(images[..., :1], (12, 9, 3), "x")
    np.testing.assert_array_equal(grey, np.repeat(images[..., :1], 3, axis=-1))


def test_images_of_two_scales_do_not_go_together():
    unit = np.linspace(0, 1, 32, dtype=np.float32).reshape(2, 4, 4, 1)
    bytes_, streamed = (255 * unit).astype(np.uint8), ImageFiles(None, ImageFormat(4, 4, 1), None)
    message = (
        r"^x: expected values on the scale of y, which are in \[0, %s\], received .* \[0, %s\]$"
    )
    for images in (bytes_, 255 * unit, streamed):
        with pytest.raises(ValueError, match=message % (1, 255)):
            check_scale("x", images, "y", unit)
        with pytest.raises(ValueError, match=message % (255, 1)):
            check_scale("x", unit, "y", images)
        check_scale("x", images, "y", bytes_)
        check_scale("x", images, "y", 0 * unit)  # black on any scale
    check_scale("x", 1.1 * unit, "y", unit)  # as a sharp filter leaves them
    check_scale("x", np.float32([[3.0]]), "y", np.float32([[0.5]]))  # a table
