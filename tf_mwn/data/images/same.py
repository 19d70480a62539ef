"""Which images are the same: an image on both sides of a split is no test of anything."""

import hashlib
import itertools
import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tf_mwn.data.images.files import ImageFiles
from tf_mwn.messages import logger


def same_images(x: Any) -> np.ndarray | None:
    """Returns for each image the first row with the same one, int64 [N]; None if all differ.

    Args:
        x: images [N, H, W, C], compared by content, or `ImageFiles`, compared by file.
    """
    _, first, which = np.unique(_keys(x), return_index=True, return_inverse=True)
    return None if len(first) == len(x) else first[which]


def warn_of_shared_images(source: str, parts: Mapping[str, Any]) -> None:
    """A line for each two parts of a source that have images in common.

    Args:
        source: its name.
        parts: images by the name of the part.
    """
    keys = {name: _keys(x) for name, x in parts.items()} if len(parts) > 1 else {}
    for one, other in itertools.combinations(keys, 2):
        shared = int(np.isin(keys[other], keys[one]).sum())
        if shared:
            logger.warning(
                "%s: %d of the %d %s images are %s images too",
                source,
                shared,
                len(keys[other]),
                other,
                one,
            )


def check_apart(name: str, root: str, parts: Mapping[str, list[str]]) -> None:
    """Checks that no file is in two parts, however it is spelled or linked.

    Raises:
        ValueError: a file that is.
    """
    seen: dict[tuple[int, int], str] = {}
    for part, paths in parts.items():
        for path, file in zip(paths, _files(paths), strict=True):
            if seen.setdefault(file, part) != part:
                raise ValueError(
                    f"dataset: expected each image in one part of {name}, received "
                    f"{os.path.relpath(path, root)} in {seen[file]} and in {part}"
                )


def _files(paths: Iterable[str | bytes]) -> Iterable[tuple[int, int]]:
    stats = map(os.stat, paths)
    return ((facts.st_dev, facts.st_ino) for facts in stats)


def _keys(x: Any) -> np.ndarray:
    """A key of 16 bytes for each image, [N]."""
    if isinstance(x, ImageFiles):
        texts = (repr(file).encode() for file in _files(x.paths.tolist()))
    else:
        texts = (np.ascontiguousarray(image).tobytes() for image in x)
    # As void, for numpy drops zeros at the end of byte strings.
    keys = b"".join(hashlib.blake2b(text, digest_size=16).digest() for text in texts)
    return np.frombuffer(keys, "V16")
