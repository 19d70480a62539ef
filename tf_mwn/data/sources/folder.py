"""A folder of images with one folder per class."""

import os

import numpy as np

from tf_mwn.data.images.decoding import SUFFIXES
from tf_mwn.data.images.lists import ImageOptions, read_lists
from tf_mwn.data.sources.source import RawSource

# Folders that hold the test part, in this order of preference.
_TEST = ("test", "val")


def load_folder(path: str, options: ImageOptions) -> RawSource:
    """Loads `path/<class>/<image>`, or `path/train/<class>/...` with `path/test/...` beside it.

    Classes are numbered in the order of their names, and the images of a class are read in the
    order of theirs (by code point, the same on every machine). The ids are the rows in this order.
    Without `test`, `val` is the test part; without either, a fifth of each class is split off.
    Hidden files are skipped.

    Args:
        path: the folder.
        options: how to read the images.

    Raises:
        ValueError: no class folders, an empty one, a test class that is not in training, or files
            that are no whole images.
    """
    root = os.path.join(path, "train") if os.path.isdir(os.path.join(path, "train")) else path
    names = _class_names(root)
    parts, labels = {}, {}
    parts["train"], labels["train"] = _list_images(root, names)
    test = next((name for name in _TEST if os.path.isdir(os.path.join(path, name))), None)
    if test and root != path:
        folder = os.path.join(path, test)
        _check_known(folder, names)
        parts["test"], labels["test"] = _list_images(folder, names)
    _check_filled(root, names, labels["train"])
    images = read_lists(path, path, parts, options)
    return RawSource(
        path,
        images["train"],
        labels["train"],
        x_test=images.get("test"),
        y_test=labels.get("test"),
        class_names=tuple(names),
        clean_known=False,
    )


def _visible(folder: str) -> list[str]:
    return sorted(name for name in os.listdir(folder) if not name.startswith("."))


def _folders(folder: str) -> list[str]:
    return [name for name in _visible(folder) if os.path.isdir(os.path.join(folder, name))]


def _class_names(root: str) -> list[str]:
    names = _folders(root)
    if not names:
        content = "a folder without class folders" if _visible(root) else "an empty folder"
        raise ValueError(f"dataset: expected a folder for each class in {root}, received {content}")
    if len(names) < 2:
        raise ValueError(
            f"dataset: expected two class folders or more in {root}, received {names[0]} alone"
        )
    return names


def _check_known(folder: str, names: list[str]) -> None:
    strays = sorted(set(_folders(folder)) - set(names))
    if strays:
        raise ValueError(
            f"dataset: expected every class of {folder} among the {len(names)} of train, "
            f"received {', '.join(strays[:5])}"
        )


def _check_filled(root: str, names: list[str], labels: np.ndarray) -> None:
    empty = np.flatnonzero(np.bincount(labels, minlength=len(names)) == 0)
    if empty.size:
        folder = os.path.join(root, names[empty[0]])
        raise ValueError(f"dataset: expected images in {folder}, received an empty folder")


def _list_images(root: str, names: list[str]) -> tuple[list[str], np.ndarray]:
    """Returns the paths and labels of a part's images."""
    paths, labels, strays = [], [], []
    for label, name in enumerate(names):
        folder = os.path.join(root, name)
        files = _visible(folder) if os.path.isdir(folder) else []
        strays += [os.path.join(name, file) for file in files if not _is_image(folder, file)]
        paths += [os.path.join(folder, file) for file in files]
        labels += [label] * len(files)
    if strays:
        more = ", the first 5" if len(strays) > 5 else ""
        raise ValueError(
            f"dataset: expected JPEG and PNG files alone in the class folders of {root}, "
            f"received {len(strays)} others{more}: {', '.join(strays[:5])}"
        )
    if not paths:
        raise ValueError(f"dataset: expected images in {root}, received none in any class folder")
    return paths, np.array(labels, np.int64)


def _is_image(folder: str, file: str) -> bool:
    return file.lower().endswith(SUFFIXES) and os.path.isfile(os.path.join(folder, file))
