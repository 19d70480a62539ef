"""A folder that keeps decoded images, by a key of the files they come from."""

import hashlib
import os
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from tf_mwn.files import Folder, read_json, write_json

# Part of every key. Raise it when images are read differently: old entries are then not found.
_VERSION = "3"


def cache_folder(cache_dir: str | None) -> str:
    """Returns `cache_dir`, or by default `$TF_MWN_CACHE` or `~/.cache/tf_mwn`."""
    default = os.environ.get("TF_MWN_CACHE") or os.path.join("~", ".cache", "tf_mwn")
    return os.path.expanduser(cache_dir or default)


def listing_key(root: str, paths: Iterable[str], *options: Any) -> str:
    """Returns a key of the files, their sizes and times, and of options.

    A folder elsewhere has another key, and so has a file that was replaced by one of its size and
    time: the time of the last change of the file's entry cannot be set.

    Raises:
        OSError: a file that is not there.
    """
    digest = hashlib.sha256(f"{_VERSION} {options!r} ".encode())
    digest.update(os.fsencode(os.path.realpath(root)))
    for path in paths:
        facts = os.stat(path)
        line = f"\n{os.path.relpath(path, root)}\t{facts.st_size}\t{facts.st_mtime_ns}"
        line += f"\t{facts.st_ctime_ns}\t{facts.st_dev}\t{facts.st_ino}"
        digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:32]


def cached_facts(folder: str, key: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Returns the JSON facts of a key, made and kept if they are not there."""
    path = os.path.join(folder, f"{key}.json")
    try:
        return read_json(path)
    except (OSError, ValueError):
        facts = make()
    _write(path, lambda temporary: write_json(temporary, facts))
    return facts


def cached_arrays(
    folder: str, key: str, make: Callable[[], dict[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Returns the arrays of a key, made and kept if they are not there."""
    path = os.path.join(folder, f"{key}.npz")
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except Exception:  # noqa: BLE001 a missing file, or one damaged in any way, is made again
        arrays = make()
    _write(path, lambda temporary: np.savez(temporary, **arrays))
    return arrays


def _write(path: str, write: Callable[[Path], Any]) -> None:
    """Writes a file in one piece, so that no reader sees half of it; a failure is a warning."""
    folder, name = os.path.split(path)
    try:
        os.makedirs(folder, exist_ok=True)
        with Folder(folder).replacing(name) as temporary:
            write(temporary)
    except OSError as error:
        warnings.warn(f"images are not cached in {path}: {error}", stacklevel=2)
