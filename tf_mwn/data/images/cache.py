"""A folder that keeps decoded images, by a key of the files they come from."""

import hashlib
import json
import os
import tempfile
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

# Part of every key: another way of reading images makes old entries unknown.
_VERSION = "1"


def cache_folder(cache_dir: str | None) -> str:
    """Returns `cache_dir`, or by default `$TF_MWN_CACHE` or `~/.cache/tf_mwn`."""
    default = os.environ.get("TF_MWN_CACHE") or os.path.join("~", ".cache", "tf_mwn")
    return os.path.expanduser(cache_dir or default)


def listing_key(root: str, paths: Iterable[str], *options: Any) -> str:
    """Returns a key of the files' names below `root`, sizes and times, and of options.

    Raises:
        OSError: a file that is not there.
    """
    digest = hashlib.sha256(f"{_VERSION} {options!r}".encode())
    for path in paths:
        facts = os.stat(path)
        line = f"\n{os.path.relpath(path, root)}\t{facts.st_size}\t{facts.st_mtime_ns}"
        digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:32]


def cached_facts(folder: str, key: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Returns the JSON facts of a key, made and kept if they are not there."""
    path = os.path.join(folder, f"{key}.json")
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        facts = make()
    _write(path, lambda file: file.write(json.dumps(facts).encode()))
    return facts


def cached_arrays(
    folder: str, key: str, make: Callable[[], dict[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Returns the arrays of a key, made and kept if they are not there."""
    path = os.path.join(folder, f"{key}.npz")
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except Exception:  # noqa: BLE001 no file, or one that is damaged in any way: made again
        arrays = make()
    _write(path, lambda file: np.savez(file, **arrays))
    return arrays


def _write(path: str, write: Callable[[Any], Any]) -> None:
    """Writes under another name and renames, so that nobody ever reads half a file."""
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=os.path.dirname(path), delete=False) as file:
            try:
                write(file)
                file.close()
                os.replace(file.name, path)
            except BaseException:
                os.unlink(file.name)
                raise
    except OSError as error:
        warnings.warn(f"images are not cached in {path}: {error}", stacklevel=2)
