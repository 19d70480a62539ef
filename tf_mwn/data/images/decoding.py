"""Reads single images from files and brings them to one size. Needs Pillow."""

import dataclasses
from typing import Any

import numpy as np

SUFFIXES = (".jpg", ".jpeg", ".png")
_MODES = {1: "L", 3: "RGB"}
_TAIL = 4096  # bytes at the end of a file in which its end marker must be


class UnreadableImageError(ValueError):
    """An image cannot be read, or its file is gone."""


@dataclasses.dataclass(frozen=True)
class ImageFormat:
    """The size and channels to which every image of a source is converted.

    Attributes:
        height: pixels.
        width: pixels.
        channels: 1 for grey, 3 for RGB.
        margin: the image is scaled to cover `margin` times height and width, then its centre is
            cropped; 8/7 is the usual 256 to 224. At margin 1, an image of the right size keeps its
            pixels.
    """

    height: int
    width: int
    channels: int = 3
    margin: float = 1.0

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.height, self.width, self.channels


def read_image(path: str, form: ImageFormat) -> np.ndarray:
    """Reads, turns (by its EXIF orientation), scales and crops one image.

    Returns:
        [H, W, C] uint8.

    Raises:
        UnreadableImageError: a file that cannot be decoded.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            # A JPEG is decoded at a fraction of its size, at least twice what is needed.
            image.draft(None, tuple(int(2 * form.margin * n) for n in (form.width, form.height)))
            image = ImageOps.exif_transpose(image).convert(_MODES[form.channels])
            return _cover(image, form)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UnreadableImageError(
            f"dataset: expected an image, received {path} ({_reason(error)})"
        ) from error


def _cover(image: Any, form: ImageFormat) -> np.ndarray:
    """Scales an image to cover the format with its margin and crops the centre."""
    from PIL import Image

    if image.size != (form.width, form.height) or form.margin != 1.0:
        scale = form.margin * max(form.width / image.width, form.height / image.height)
        size = tuple(max(1, round(scale * side)) for side in image.size)
        size = max(size[0], form.width), max(size[1], form.height)
        left, top = (size[0] - form.width) // 2, (size[1] - form.height) // 2
        image = image.resize(size, Image.Resampling.BILINEAR)
        image = image.crop((left, top, left + form.width, top + form.height))
    return np.asarray(image, np.uint8).reshape(form.shape)


def examine(path: str) -> tuple[tuple[int, int], int]:
    """Reads a file's header, and checks without decoding that the file is complete.

    Returns:
        (width, height) as displayed, and the number of channels it needs: 1 or 3.

    Raises:
        ValueError: no image, a truncated one, or one of more than 8 bits per channel.
    """
    from PIL import Image

    try:
        with Image.open(path, formats=("JPEG", "PNG")) as image:
            size, mode, form = image.size, image.mode, image.format
            if image.getexif().get(0x0112, 1) >= 5:  # turned by a quarter
                size = size[::-1]
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(_reason(error)) from error
    if mode.startswith(("I", "F")):
        raise ValueError(f"more than 8 bits per channel (mode {mode})")
    if (b"\xff\xd9" if form == "JPEG" else b"IEND") not in _tail(path):
        raise ValueError("truncated")
    return size, 1 if mode in ("1", "L", "LA") else 3


def _tail(path: str) -> bytes:
    with open(path, "rb") as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - _TAIL))
        return file.read()


def _reason(error: BaseException) -> str:
    if "cannot identify image" in str(error):
        return "no JPEG or PNG image"
    return " ".join(str(error).split()) or type(error).__name__


def fit_images(images: np.ndarray, shape: tuple[int, ...], name: str) -> np.ndarray:
    """Brings images of one source to the shape of another's.

    Args:
        images: [n, H, W, C] with values 0 to 255.
        shape: (H, W, C) wanted.
        name: what the images are called in a message.

    Returns:
        [n, *shape] of the same type if the shape is right; uint8, scaled, cropped, and turned to
        grey or RGB otherwise.

    Raises:
        ValueError: inputs that are no images of 1 or 3 channels.
    """
    from PIL import Image

    if images.shape[1:] == tuple(shape):
        return images
    channels = (*images.shape[3:], *shape[2:])
    if images.ndim != 4 or len(shape) != 3 or not set(channels) <= set(_MODES):
        raise ValueError(
            f"{name}: expected images that can become {list(shape)}, "
            f"received inputs of shape {list(images.shape[1:])}"
        )
    form, fitted = ImageFormat(*shape), np.empty((len(images), *shape), np.uint8)
    for row, pixels in enumerate(np.clip(images, 0, 255).astype(np.uint8)):
        image = Image.fromarray(pixels[..., 0] if channels[0] == 1 else pixels)
        fitted[row] = _cover(image.convert(_MODES[shape[2]]), form)
    return fitted
