"""Images as small data URIs, for a page that loads nothing."""

import base64
import io
from typing import Any

import numpy as np

from tf_mwn.data.images.decoding import pillow
from tf_mwn.data.images.files import ImageFiles

MOST_IMAGES = 2000  # of a page: 7 MB at 32x32, 10 MB of photographs
_SIDE = 96  # the longer side of a thumbnail, in pixels
_EXACT = 32  # images up to this side keep their pixels
_CHUNK = 100  # images in memory at a time


def are_images(x: Any) -> bool:
    """Whether inputs are grey or colour images [N, H, W, C]."""
    return getattr(x, "ndim", 0) == 4 and x.shape[-1] in (1, 3)


def are_small(x: Any) -> bool:
    """Whether inputs are images whose pixels are to be seen when they are enlarged."""
    return are_images(x) and max(x.shape[1:3]) <= 2 * _EXACT


def thumbnails(x: Any, rows: np.ndarray) -> list[str]:
    """Data URIs of the first `MOST_IMAGES` rows of x; none if these are no images.

    Small images are PNG, others JPEG.
    """
    if not are_images(x):
        return []
    rows = rows[:MOST_IMAGES]
    low, high = _range(x, rows)
    uris = []
    for start in range(0, len(rows), _CHUNK):
        images = np.asarray(x[rows[start : start + _CHUNK]])
        uris += [_uri(_bytes(image, low, high)) for image in images]
    return uris


def _range(x: Any, rows: np.ndarray) -> tuple[float, float]:
    """The values that become black and white: of images in memory, those there are.

    Bytes of colour images, and of files, are shown as they are; as on the contact sheet.
    """
    if isinstance(x, ImageFiles) or (x.dtype == np.uint8 and x.shape[-1] == 3) or not len(rows):
        return 0.0, 255.0
    shown = x[rows]
    return float(shown.min()), float(shown.max())


def _bytes(image: np.ndarray, low: float, high: float) -> np.ndarray:
    """An image [H, W, C] as uint8, scaled from `low` to `high`."""
    if image.dtype == np.uint8 and (low, high) == (0.0, 255.0):
        return image
    scaled = (image.astype(np.float64) - low) / max(high - low, 1e-12)
    return np.clip(np.round(255 * scaled), 0, 255).astype(np.uint8)


def _uri(pixels: np.ndarray) -> str:
    image = pillow().fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    exact = max(image.size) <= _EXACT
    image.thumbnail((_SIDE, _SIDE))
    buffer = io.BytesIO()
    image.save(buffer, *(("PNG",) if exact else ("JPEG",)), **({} if exact else {"quality": 80}))
    kind = "png" if exact else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"
