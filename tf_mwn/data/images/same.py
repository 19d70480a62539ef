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

# Share of different rows from which equal rows of a table are taken for the same example. In other
# tables, which have few values, this cannot be told of rows that the table holds several times.
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
    of a table with few values are often equal without being the same example: of those that the
    table holds several times none is found, which a second line says.

    Args:
        source: its name.
        part: name of the part.
        of: its inputs, in memory if `x` is, in files if `x` is.
    """
    if isinstance(x, ImageFiles):
        found = _same_files(x, of)
    else:
        keys = _keys(x)
        alike = np.isin(keys, _keys(of))
        undecided = alike & np.isin(keys, _often_equal(x, keys))
        found = alike & ~undecided
        if undecided.any():
            logger.warning(
                "%s: %d training examples have the values of %s examples, but also of other "
                "training examples; they stay",
                source,
                undecided.sum(),
                part,
            )
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
    sizes, other_sizes = ([*map(os.path.getsize, f.paths.tolist())] for f in (files, others))
    rows = np.flatnonzero(np.isin(sizes, other_sizes))
    among = others.paths[np.isin(other_sizes, sizes)]
    found = np.zeros(len(files), bool)
    found[rows] = np.isin(_contents(files.paths[rows]), _contents(among))
    return found


def _contents(paths: np.ndarray) -> np.ndarray:
    return digests(Path(os.fsdecode(path)).read_bytes() for path in paths.tolist())


def _often_equal(x: Any, keys: np.ndarray) -> np.ndarray:
    """The keys of a table with few values that several of its rows have; none of images."""
    different, counts = np.unique(keys, return_counts=True)
    few_values = x.ndim == 2 and len(different) < _DIFFERENT * len(keys)
    return different[counts > 1] if few_values else different[:0]


def warn_of_shared_examples(source: str, parts: Mapping[str, Any]) -> None:
    """A line for each two parts of a source that have examples in common.

    Clean examples are not compared with those to train on, of which `copies` finds them.

    Args:
        source: its name.
        parts: inputs by the name of the part; those to train on are the first, "train", if they
            are to be compared.
    """
    pairs = [p for p in itertools.combinations(parts, 2) if p != ("train", "meta")]
    if not pairs:
        return
    keys = {name: _keys(x) for name, x in parts.items()}
    first = next(iter(parts))
    undecided = _often_equal(parts[first], keys[first])
    for one, other in pairs:
        x = parts[other]
        if isinstance(x, ImageFiles) and "meta" in (one, other):  # which may lie elsewhere
            shared = _same_files(x, parts[one]).sum()
        else:
            shared = (np.isin(keys[other], keys[one]) & ~np.isin(keys[other], undecided)).sum()
        if shared:
            kind = "images" if x.ndim == 4 else "rows"
            logger.warning(
                f"%s: %d of the %d %s {kind} are %s {kind} too", source, shared, len(x), other, one
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
