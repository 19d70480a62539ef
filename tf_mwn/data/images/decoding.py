"""Reads single images from files and brings them to one size. Needs Pillow."""

import contextlib
import dataclasses
import functools
import types
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from tf_mwn.extras import extra

SUFFIXES = (".jpg", ".jpeg", ".png")
BACKGROUND = 128  # the grey behind transparent parts
_MODES = {1: "L", 3: "RGB"}
_MOST_PIXELS = 2**26  # of a PNG, which a few bytes can state: 200 MB of RGB
_GREY = np.array([[0.299], [0.587], [0.114]], np.float32)  # as Pillow turns RGB to grey
_ABOVE_ONE = 2.0  # a sharp filter may take values in [0, 1] above 1, but not so far
_BIT_DEPTH = 24  # its byte in the header of a PNG
# How Pillow turns an image upright, by EXIF orientation: members of `Image.Transpose`.
_TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}


class _Unusable(ValueError):
    """The reason why a file cannot be used as an image, for the sentence of a caller."""


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

    Transparent parts are laid on grey, `BACKGROUND`: a drawing in black or in white stays visible.

    Returns:
        [H, W, C] uint8.

    Raises:
        UnreadableImageError: a file that cannot be decoded.
    """
    try:
        with _opened(path) as (image, orientation):
            # A JPEG is decoded at a fraction of its size, at least twice what is needed.
            image.draft(None, tuple(int(2 * form.margin * n) for n in (form.width, form.height)))
            if orientation in _TURNS:
                image = image.transpose(_TURNS[orientation])
            return _cover(_opaque(image).convert(_MODES[form.channels]), form)
    except ValueError as error:
        raise UnreadableImageError(
            f"dataset: expected an image, received {path} ({error})"
        ) from error


def _cover(image: Any, form: ImageFormat) -> np.ndarray:
    """Scales an image to cover the format with its margin and crops the centre."""
    if image.size != (form.width, form.height) or form.margin != 1.0:
        scale = form.margin * max(form.width / image.width, form.height / image.height)
        size = tuple(max(1, round(scale * side)) for side in image.size)
        size = max(size[0], form.width), max(size[1], form.height)
        left, top = (size[0] - form.width) // 2, (size[1] - form.height) // 2
        image = image.resize(size, pillow().Resampling.BILINEAR)
        image = image.crop((left, top, left + form.width, top + form.height))
    return np.asarray(image).reshape(form.shape)


def examine(path: str) -> tuple[tuple[int, int], int, bool]:
    """Decodes a file once: only the decoder knows whether it is whole.

    Returns:
        (width, height) as displayed, the number of channels it needs (1 or 3), and whether it may
        have transparent parts.

    Raises:
        ValueError: no image, a damaged or truncated one, an animation, or more than 8 bits per
            channel.
    """
    with _opened(path) as (image, orientation):
        size = image.size[::-1] if orientation >= 5 else image.size  # turned by a quarter
        channels = 1 if image.mode in ("1", "L", "LA") else 3
        transparent = _has_alpha(image)
        image.draft(None, (1, 1))
        image.load()
    return size, channels, transparent


@contextlib.contextmanager
def _opened(path: str) -> Iterator[tuple[Any, int]]:
    """An image that can be decoded, and its EXIF orientation. Any failure is a ValueError."""
    decoder = pillow()
    try:
        with decoder.open(path, formats=("JPEG", "PNG")) as image:
            _check(image, path)
            yield image, _orientation(image)
    except Exception as error:  # Pillow raises anything for a damaged file
        raise _Unusable(_reason(error)) from error


@functools.cache
def pillow() -> types.ModuleType:
    """The module `PIL.Image`."""
    with extra("data"):
        from PIL import Image

    # Larger images are refused here in one line.
    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
    return Image


def _check(image: Any, path: str) -> None:
    """Refuses what would be read as something else, or take the machine's memory."""
    if image.format != "PNG":
        return
    width, height = image.size
    if width * height > _MOST_PIXELS:
        raise _Unusable(f"{width}x{height}, more than {_MOST_PIXELS} pixels")
    with open(path, "rb") as file:
        bits = file.read(_BIT_DEPTH + 1)[_BIT_DEPTH]
    if bits > 8:
        raise _Unusable(f"more than 8 bits per channel ({bits})")
    if getattr(image, "n_frames", 1) > 1:
        raise _Unusable(f"an animation of {image.n_frames} pictures")
    with pillow().open(path, formats=("PNG",)) as digests:
        digests.verify()


def _orientation(image: Any) -> int:
    """The EXIF orientation, 1 to 8. Only its own tag is read: others may be of a wrong type."""
    value = image.getexif().get(0x0112, 1)
    value = value[0] if isinstance(value, tuple) and len(value) == 1 else value
    try:
        value = int(value)
    except (TypeError, ValueError):
        raise _Unusable(f"an EXIF orientation of {value!r}") from None
    return value if 1 <= value <= 8 else 1


def _has_alpha(image: Any) -> bool:
    return image.mode.upper().endswith("A") or "transparency" in image.info


def _opaque(image: Any) -> Any:
    """The image on a grey ground, if it has transparent parts."""
    if not _has_alpha(image):
        return image
    image = image.convert("RGBA")
    ground = pillow().new("RGBA", image.size, (BACKGROUND, BACKGROUND, BACKGROUND, 255))
    ground.alpha_composite(image)
    return ground


def _reason(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError):
        return "missing"
    if "cannot identify image" in str(error):
        return "no JPEG or PNG image"
    return " ".join(str(error).split()) or type(error).__name__


def fit_images(images: np.ndarray, shape: tuple[int, ...], name: str) -> np.ndarray:
    """Brings images of one source to the shape of another's.

    Args:
        images: [n, H, W, C], on any scale.
        shape: (H, W, C) wanted.
        name: what the images are called in a message.

    Returns:
        [n, *shape], scaled, cropped, and turned to grey or RGB, on the same scale. The type is the
        same too, but whole numbers from 0 to 255 that have to be fitted become uint8.

    Raises:
        ValueError: inputs that are no images of 1 or 3 channels.
    """
    if images.shape[1:] == tuple(shape):
        return images
    channels = (*images.shape[3:], *shape[2:])
    if images.ndim != 4 or len(shape) != 3 or not set(channels) <= set(_MODES):
        raise ValueError(
            f"{name}: expected images that can become {list(shape)}, "
            f"received inputs of shape {list(images.shape[1:])}"
        )
    low, high = _range(images)
    pixels = images.dtype.kind != "f" and low >= 0 and high <= 255
    images, fit = (images.astype(np.uint8), _fit_pixels) if pixels else (images, _fit_numbers)
    form, fitted = ImageFormat(*shape), np.empty((len(images), *shape), images.dtype)
    for row, image in enumerate(images):
        fitted[row] = fit(image, form)
    return fitted


def _fit_pixels(image: np.ndarray, form: ImageFormat) -> np.ndarray:
    image = pillow().fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    return _cover(image.convert(_MODES[form.channels]), form)


def _fit_numbers(image: np.ndarray, form: ImageFormat) -> np.ndarray:
    """As `_fit_pixels`, channel by channel in single precision, which keeps any scale."""
    numbers = image.astype(np.float32)
    if form.channels < image.shape[-1]:
        numbers = numbers @ _GREY
    of_channel = dataclasses.replace(form, channels=1)
    channels = [_cover(pillow().fromarray(c), of_channel) for c in np.moveaxis(numbers, -1, 0)]
    fitted = np.clip(np.concatenate(channels, axis=-1), image.min(), image.max())
    return fitted if image.dtype.kind == "f" else np.rint(fitted)


def check_scale(name: str, images: Any, other: str, known: Any) -> None:
    """Checks that not one of two arrays of images has the scale 0 to 1, and the other a larger one.

    Args:
        name: what the images are called in a message.
        images: [N, H, W, C] array, or image files, whose pixels are 0 to 255. Others than images
            are not checked.
        other: what the images that they go with are called.
        known: those, likewise.

    Raises:
        ValueError: floats up to 1 on one side, and values that are clearly above it on the other.
    """
    is_float = images.dtype.kind == "f", known.dtype.kind == "f"
    if images.ndim != 4 or not any(is_float):
        return
    (low, high), (known_low, known_high) = _range(images), _range(known)
    smaller = is_float[0] and 0 < high <= 1 and known_high > _ABOVE_ONE
    larger = is_float[1] and 0 < known_high <= 1 and high > _ABOVE_ONE
    if smaller or larger:
        raise ValueError(
            f"{name}: expected values on the scale of {other}, which are in "
            f"[{known_low:g}, {known_high:g}], received values in [{low:g}, {high:g}]"
        )


def _range(images: Any) -> tuple[float, float]:
    if not isinstance(images, np.ndarray):  # files, which are not all read for this
        return 0.0, 255.0
    return float(images.min()), float(images.max())
