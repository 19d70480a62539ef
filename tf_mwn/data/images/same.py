"""Which images are the same: an image on both sides of a split is no test of anything."""

import itertools
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tf_mwn.data.images.files import ImageFiles
from tf_mwn.messages import logger
from tf_mwn.row_keys import array_bytes, digests

# Share of the rows of a table that differ from all others, where equal rows are the same example.
_DIFFERENT = 0.99


def same_images(x: Any) -> np.ndarray | None:
    """Returns for each image the first row with the same one, int64 [N]; None if all differ.

    Args:
        x: images [N, H, W, C], compared by content, or `ImageFiles`, compared by file.
    """
    _, first, which = np.unique(_keys(x), return_index=True, return_inverse=True)
    return None if len(first) == len(x) else first[which]


def copies(source: str, part: str, of: Any, x: Any) -> np.ndarray:
    """Which of the training examples `x` [N, ...] are among those of a part, bool [N].

    A line says how many. Images in files are compared by content, too: a part may hold copies. Rows
    of a table with few values are often equal without being the same example: then none is found.

    Args:
        source: its name.
        part: name of the part.
        of: its inputs, in memory if `x` is, in files if `x` is.
    """
    if isinstance(x, ImageFiles):
        found = _same_files(x, of)
    else:
        keys = _keys(x)
        often_equal = x.ndim == 2 and len(np.unique(keys)) < _DIFFERENT * len(keys)
        found = np.zeros(len(x), bool) if often_equal else np.isin(keys, _keys(of))
    if found.any():
        logger.warning(
            "%s: %d training examples are %s examples too; they are left out of training",
            source,
            found.sum(),
            part,
        )
    return found


def _same_files(files: ImageFiles, others: ImageFiles) -> np.ndarray:
    """Which files have the content of one of the others, bool [N]; few have the size of one."""
    of_size = {os.path.getsize(path) for path in others.paths.tolist()}
    sizes = map(os.path.getsize, files.paths.tolist())
    rows = np.flatnonzero([size in of_size for size in sizes])
    found = np.zeros(len(files), bool)
    found[rows] = np.isin(_contents(files.paths[rows]), _contents(others.paths))
    return found


def _contents(paths: np.ndarray) -> np.ndarray:
    return digests(Path(os.fsdecode(path)).read_bytes() for path in paths.tolist())


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
        texts = array_bytes(x)
    return digests(texts)
