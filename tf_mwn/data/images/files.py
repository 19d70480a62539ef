"""Images that stay in their files until a batch needs them."""

import dataclasses
import hashlib
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from tf_mwn.data.images.decoding import ImageFormat, read_image


@dataclasses.dataclass(frozen=True)
class ImageFiles:
    """An array of images [N, H, W, C] whose rows are files, decoded when they are asked for.

    Indexing by rows gives `ImageFiles` again; `numpy.asarray` decodes them. The training stream
    decodes a batch inside its map, so that order and ids are the same as for arrays in memory.

    Attributes:
        paths: [N] paths as bytes, a quarter of the memory of strings.
        form: what each image becomes.
        key: [N] uint64 from each file's relative name and size, for fingerprints.
    """

    paths: np.ndarray
    form: ImageFormat
    key: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.paths), *self.form.shape)

    ndim = 4
    dtype = np.dtype(np.uint8)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, rows) -> "ImageFiles":
        if isinstance(rows, (int, np.integer)):
            rows = [rows]
        return dataclasses.replace(self, paths=self.paths[rows], key=self.key[rows])

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        if copy is False:
            raise ValueError("copy: expected None or True for images in files, received False")
        images = decode(self.paths, self.form)
        return images if dtype is None else images.astype(dtype)

    def replace(self, rows: np.ndarray, other: "ImageFiles") -> "ImageFiles":
        """Returns the files with those of another source at `rows`.

        Raises:
            ValueError: images in memory, which cannot stand among files.
        """
        if not isinstance(other, ImageFiles):
            raise ValueError(
                "open_set: expected image files to go among streamed images, "
                f"received an array of shape {list(other.shape[1:])}"
            )
        wide_enough = np.promote_types(self.paths.dtype, other.paths.dtype)
        paths, key = self.paths.astype(wide_enough), self.key.copy()
        paths[rows], key[rows] = other.paths, other.key
        return dataclasses.replace(self, paths=paths, key=key)


def joined(inputs: Sequence[Any]) -> Any:
    """One array of all inputs, or one `ImageFiles` of the same form."""
    first, *others = inputs
    if not others:
        return first
    if not isinstance(first, ImageFiles):
        return np.concatenate(inputs)
    paths, keys = ([getattr(files, name) for files in inputs] for name in ("paths", "key"))
    return dataclasses.replace(first, paths=np.concatenate(paths), key=np.concatenate(keys))


def decode(paths: np.ndarray, form: ImageFormat) -> np.ndarray:
    """Reads the images of paths (strings or bytes) [n]; returns uint8 [n, H, W, C]."""
    images = np.empty((len(paths), *form.shape), np.uint8)
    for row, path in enumerate(paths):
        images[row] = read_image(os.fsdecode(path), form)
    return images


def listing_keys(root: str, paths: list[str]) -> np.ndarray:
    """Returns [N] uint64 keys of each file's name below `root` and size."""
    keys = np.empty(len(paths), np.uint64)
    for row, path in enumerate(paths):
        text = f"{os.path.relpath(path, root)}\n{os.path.getsize(path)}"
        keys[row] = int.from_bytes(hashlib.sha256(os.fsencode(text)).digest()[:8], "little")
    return keys
