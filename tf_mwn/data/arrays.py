"""Arrays of numbers from .npy and .npz files that nobody vouches for.

The header of an array and the directory of an archive say how much memory the content takes. Both
are compared with the file and with the machine before any memory is taken.
"""

import math
import os
import zipfile
from collections.abc import Callable, Iterable
from typing import IO

import numpy as np
from numpy.lib import format as npy

_SUFFIX = ".npy"
_DEFLATE = 1032  # the most bytes that one compressed byte can hold
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def read_npy(option: str, path: str) -> np.ndarray:
    """Returns the array of an .npy file that an option names.

    Raises:
        TypeError: the array holds objects.
        ValueError: the file cannot be read, is damaged, or is no array.
    """
    try:
        size = os.path.getsize(path)
        return _array(lambda: open(path, "rb"), size)
    except _ObjectsError as error:
        raise TypeError(f"{option}: expected numbers in {path}, received objects") from error
    except Exception as error:  # a damaged file raises almost anything
        raise ValueError(
            f"{option}: expected an array of numbers in {path}, received none ({_reason(error)})"
        ) from error


def npz_names(option: str, path: str) -> list[str]:
    """Returns the names of the arrays in an .npz file that an option names.

    Raises:
        ValueError: the file cannot be read or is no archive.
    """
    with _opened(option, path) as archive:
        return list(_members(option, path, archive))


def read_npz(option: str, path: str, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Returns arrays of an .npz file that an option names.

    Raises:
        TypeError: an array holds objects.
        ValueError: the file cannot be read, lacks an array, or is damaged.
    """
    names = list(names)
    with _opened(option, path) as archive:
        members = _members(option, path, archive)
        missing = [name for name in names if name not in members]
        if missing:
            raise ValueError(
                f"{option}: expected arrays {' and '.join(names)} in {path}, "
                f"received {', '.join(members) or 'none'}"
            )
        return {name: _member(option, path, archive, name, members[name]) for name in names}


class _ObjectsError(Exception):
    """An array holds Python objects."""


class _DamagedError(Exception):
    """The reason why an array cannot be read."""


def _opened(option: str, path: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except Exception as error:  # a damaged directory raises almost anything
        raise ValueError(
            f"{option}: expected an .npz archive, received {path}, {_what_it_is(path, error)}"
        ) from error


def _what_it_is(path: str, error: Exception) -> str:
    if isinstance(error, OSError):
        return f"which cannot be read ({error.strerror or error})"
    with open(path, "rb") as file:
        start = file.read(len(npy.MAGIC_PREFIX))
    if start == npy.MAGIC_PREFIX:
        return "which holds one array"
    return f"which is damaged ({_reason(error)})" if start.startswith(b"PK") else "which is none"


def _members(option: str, path: str, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Returns the arrays of an archive by name."""
    found = {}
    for info in archive.infolist():
        name = info.filename.removesuffix(_SUFFIX)
        if name in found:
            raise ValueError(f"{option}: expected each array once in {path}, received {name} twice")
        if name != info.filename:
            found[name] = info
    return found


def _member(option, path, archive, name, info) -> np.ndarray:
    try:
        if info.file_size > _DEFLATE * max(1, info.compress_size):
            raise _DamagedError("its size is not that of the content")
        return _array(lambda: archive.open(info), info.file_size)
    except _ObjectsError as error:
        raise TypeError(f"{name}: expected numbers in {path}, received objects") from error
    except Exception as error:  # a damaged member raises almost anything
        raise ValueError(
            f"{option}: expected a whole array {name} in {path}, received a damaged one "
            f"({_reason(error)})"
        ) from error


def _array(opened: Callable[[], IO[bytes]], size: int) -> np.ndarray:
    """Returns the array of a file of `size` bytes, once its header has been compared with it."""
    with opened() as file:
        version = npy.read_magic(file)
        if version not in _HEADERS:
            raise _DamagedError(f"format {version} is not known")
        shape, _, dtype = _HEADERS[version](file)
        left = size - file.tell()
    if dtype.hasobject:
        raise _ObjectsError
    wanted = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or wanted != left:
        raise _DamagedError(f"its header states {wanted} bytes, {left} follow")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if wanted > memory:
        raise _DamagedError(
            f"it takes {wanted / 2**30:.3g} GiB, of {memory / 2**30:.3g} GiB in all"
        )
    # Opened again: a stored member that is rewound no longer checks its digest.
    with opened() as file:
        array = npy.read_array(file, allow_pickle=False)
        if file.read(1):
            raise _DamagedError("more content than its header states")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
