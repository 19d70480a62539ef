"""From lists of image files to arrays in memory, or to files that are decoded batch by batch."""

import concurrent.futures
import dataclasses
import os
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tf_mwn.checks import check_count, check_name
from tf_mwn.data.images.cache import cache_folder, cached_arrays, cached_facts, listing_key
from tf_mwn.data.images.decoding import BACKGROUND, ImageFormat, examine, read_image
from tf_mwn.data.images.files import ImageFiles, listing_keys
from tf_mwn.data.images.same import check_apart
from tf_mwn.messages import logger

STREAMS = ("auto", "on", "off")
# In place of a size: the size of the images, if they share one that is small, and else a square.
FITTING = "fitting"
FITTING_SIDE, _FITTING_STEP = 64, 8  # largest side in pixels, and what a side is a multiple of
# With stream="auto", more than this is streamed: 4 GiB.
MOST_BYTES = 2**32


@dataclasses.dataclass(frozen=True)
class _Unusable:
    """An item that cannot be used, and why."""

    item: Any
    why: str


_LISTED = 5  # unusable files that a message names
_THREADS = min(8, os.cpu_count() or 1)


@dataclasses.dataclass(frozen=True)
class ImageOptions:
    """How images in files are read.

    Attributes:
        image_size: side in pixels of the square that every image becomes: scaled to cover it, then
            cropped in the centre. None keeps the size, which all images then must share; `FITTING`
            keeps it if they share one up to `FITTING_SIDE`, and else chooses a side up to that.
        stream: "on" decodes images batch by batch, "off" holds all in memory, "auto" streams
            images of more than `MOST_BYTES`.
        cache_dir: folder that keeps decoded images; see `cache_folder`.
        margin: side that is scaled to, relative to the side that is cropped.
        channels: 1 or 3; None is 3 unless all images are grey.
    """

    image_size: int | str | None = None
    stream: str = "auto"
    cache_dir: str | None = None
    margin: float = 1.0
    channels: int | None = None

    def __post_init__(self):
        check_name("stream", self.stream, STREAMS)
        if self.image_size not in (None, FITTING):
            check_count("image_size", self.image_size, 1)


def read_lists(name: str, root: str, parts: dict[str, list[str]], options: ImageOptions):
    """Returns the images of each part, all in memory or all as files.

    Every file is decoded first, to see that it is whole. The result, and the images
    that are held in memory, are cached by the files' names, sizes and times.

    Args:
        name: what the source is called in a message.
        root: folder that names in messages and keys are relative to.
        parts: paths of each part, such as "train" and "test".
        options: how to read the images.

    Returns:
        A dict of [N, H, W, C] uint8 arrays, or of `ImageFiles`, by part.

    Raises:
        ValueError: files that are no whole images (the first five and their count), or images of
            different sizes without `options.image_size`, or a file in two parts.
    """
    paths = [path for part in parts.values() for path in part]
    missing = [_Unusable(path, "missing") for path in paths if not os.path.isfile(path)]
    _refuse(name, root, missing)
    check_apart(name, root, parts)
    folder = cache_folder(options.cache_dir)
    key = listing_key(root, paths)
    facts = cached_facts(folder, key, lambda: _examine_all(name, root, paths))
    if facts["transparent"]:
        logger.info(
            "%s: %d images have transparent parts, which are laid on grey (%d)",
            name,
            facts["transparent"],
            BACKGROUND,
        )
    form = _form(name, facts, options)
    size = len(paths) * int(np.prod(form.shape))
    if options.stream == "on" or (options.stream == "auto" and size > MOST_BYTES):
        return {part: _files(root, listed, form) for part, listed in parts.items()}
    key = listing_key(root, paths, form, [(part, len(listed)) for part, listed in parts.items()])
    return cached_arrays(folder, key, lambda: _decode_all(name, root, parts, form))


def _files(root: str, paths: list[str], form: ImageFormat) -> ImageFiles:
    array = np.array([os.fsencode(os.path.abspath(path)) for path in paths])
    return ImageFiles(array, form, listing_keys(root, paths))


def _form(name: str, facts: dict[str, Any], options: ImageOptions) -> ImageFormat:
    channels = options.channels or facts["channels"]
    sizes, side = facts["sizes"], options.image_size
    if side == FITTING:
        fits = len(sizes) == 1 and max(sizes[0]) <= FITTING_SIDE
        side = None if fits else _fitting_side(facts["side"])
    if side is not None:
        return ImageFormat(side, side, channels, options.margin)
    if len(sizes) > 1:
        (width, height), (other_width, other_height) = sizes[:2]
        raise ValueError(
            f"image_size: expected images of one size in {name}, received {height}x{width} and "
            f"{other_height}x{other_width}: add --image_size=PIXELS to scale and crop them"
        )
    return ImageFormat(sizes[0][1], sizes[0][0], channels)


def _fitting_side(median: int) -> int:
    """The side that images of this median (shorter) side are brought to."""
    return min(FITTING_SIDE, max(median - median % _FITTING_STEP, _FITTING_STEP))


def _examine_all(name: str, root: str, paths: list[str]) -> dict[str, Any]:
    """Returns what the files are.

    That is the first two sizes (width, height), the median of the shorter sides, the channels
    needed, and how many have alpha.
    """
    found = _try_each(examine, paths)
    _refuse(name, root, found)
    sizes, channels, transparent = zip(*found, strict=True)
    return {
        "sizes": list(dict.fromkeys(sizes))[:2],
        "side": int(np.median([min(size) for size in sizes])),
        "channels": max(channels),
        "transparent": sum(transparent),
    }


def _decode_all(name: str, root: str, parts: dict[str, list[str]], form: ImageFormat):
    """Returns the decoded images [N, H, W, C] of each part."""
    arrays, broken = {}, []
    for part, paths in parts.items():
        arrays[part] = images = np.empty((len(paths), *form.shape), np.uint8)

        def read(row, images=images, paths=paths):
            images[row] = read_image(paths[row], form)

        results = _try_each(read, range(len(paths)))
        broken += [_Unusable(paths[r.item], r.why) for r in results if isinstance(r, _Unusable)]
    _refuse(name, root, broken)
    return arrays


def _try_each(function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """Returns the result for each item; `_Unusable` where it cannot be used."""

    def attempt(item):
        try:
            return function(item)
        except (ValueError, OSError) as error:
            return _Unusable(item, str(error))

    with concurrent.futures.ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(attempt, items, chunksize=64))


def _refuse(name: str, root: str, results: Iterable[Any]) -> None:
    """Raises the error for the results that are an `_Unusable` path, if there are any."""
    broken = [(r.item, r.why) for r in results if isinstance(r, _Unusable)]
    if broken:
        first = ", ".join(f"{os.path.relpath(p, root)} ({why})" for p, why in broken[:_LISTED])
        more = f", the first {_LISTED}" if len(broken) > _LISTED else ""
        raise ValueError(
            f"dataset: expected whole JPEG and PNG images in {name}, "
            f"received {len(broken)} unusable{more}: {first}"
        )
