"""A folder of images with one folder per class."""

import os
import re
from collections.abc import Iterable

import numpy as np

from tf_mwn.data.images.decoding import SUFFIXES
from tf_mwn.data.images.lists import ImageOptions, read_lists
from tf_mwn.data.sources.parts import TRAIN, assigned, part_of
from tf_mwn.data.sources.source import RawSource


def load_folder(path: str, options: ImageOptions, evaluated: bool = False) -> RawSource:
    """Loads `path/<class>/<image>`, or the same below `path/train` with other parts beside it.

    Beside `train` may be `test`, `validation` (`val`, `valid`) and `meta`, clean examples from
    which the meta set is drawn. Without `test`, `validation` is the test part; without either, a
    fifth of each class is split off. Classes are numbered in the order of their names, or of their
    numbers if all names are numbers. Folders, and the images in them, are read in the order of
    their names (by code point, the same on every machine). The ids are the rows in this order.
    Hidden files are skipped.

    Args:
        path: the folder.
        options: how to read the images.
        evaluated: whether the data may have one class, empty classes, and parts with others.

    Raises:
        ValueError: no class folders, an empty one, a class or a folder of classes that is not known
            from training, or files that are no whole images.
    """
    folders = _parts(path)
    root = folders[TRAIN]
    names = _class_names(folders.values() if evaluated else [root])
    if not evaluated and len(names) < 2:
        raise ValueError(
            f"dataset: expected two class folders or more in {root}, received only {names[0]}"
        )
    _check_beside(path, folders, names)
    serves = assigned(path, folders)
    files, labels = {}, {}
    for part, folder in folders.items():
        if part != TRAIN:
            _check_known(folder, names)
        files[serves[part]], labels[serves[part]] = _list_images(folder, names)
    if not evaluated:
        _check_filled(root, names, labels[TRAIN])
    images = read_lists(path, path, files, options)
    extra = {f"x_{part}": images[part] for part in files if part != TRAIN}
    extra |= {f"y_{part}": labels[part] for part in files if part != TRAIN}
    return RawSource(
        path,
        images[TRAIN],
        labels[TRAIN],
        class_names=tuple(names),
        clean_known=False,
        path=[os.path.relpath(file, path) for file in files[TRAIN]],
        is_own=True,
        **extra,
    )


def list_folder(path: str) -> dict[str, list[str]]:
    """The images of each part of a folder that `load_folder` loads, in the order of their rows.

    Returns:
        Paths below `path`.
    """
    folders = _parts(path)
    names = _class_names(folders.values())
    return {
        part: [os.path.relpath(file, path) for file in _list_images(folder, names)[0]]
        for part, folder in folders.items()
    }


def _parts(path: str) -> dict[str, str]:
    """Returns the folder of each part; the whole folder is the training part if it has no parts.

    A folder of images is a class, even if it is called train.
    """
    found = {}
    for name in _folders(path):
        folder, part = os.path.join(path, name), part_of(name)
        if part is None or not _folders(folder):
            continue
        if part in found:
            raise ValueError(
                f"dataset: expected one {part} part in {path}, "
                f"received {os.path.basename(found[part])} and {name}"
            )
        found[part] = folder
    return {TRAIN: found.pop(TRAIN), **found} if TRAIN in found else {TRAIN: path}


def _check_beside(path: str, folders: dict[str, str], names: list[str]) -> None:
    """Refuses a folder of the same classes beside the training part that is none of the parts."""
    if folders[TRAIN] == path:
        return
    for name in _folders(path):
        folder = os.path.join(path, name)
        if folder not in folders.values() and set(names) & set(_folders(folder)):
            raise ValueError(
                f"dataset: expected train, test, validation or meta in {path}, received {name}, "
                "which holds classes too: rename it, or move it away"
            )


def _visible(folder: str) -> list[str]:
    return sorted(name for name in os.listdir(folder) if not name.startswith("."))


def _folders(folder: str) -> list[str]:
    return [name for name in _visible(folder) if os.path.isdir(os.path.join(folder, name))]


def _class_names(roots: Iterable[str]) -> list[str]:
    """Returns the names of the class folders of all roots, in the order of their numbers."""
    names = set()
    for root in roots:
        found = _folders(root)
        if not found:
            content = "a folder without class folders" if _visible(root) else "an empty folder"
            raise ValueError(
                f"dataset: expected a folder for each class in {root}, received {content}"
            )
        names.update(found)
    are_numbers = all(re.fullmatch("[0-9]+", name) for name in names)
    return sorted(names, key=(lambda name: (int(name), name)) if are_numbers else None)


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
    for name in sorted(names):
        label = names.index(name)
        folder = os.path.join(root, name)
        files = _visible(folder) if os.path.isdir(folder) else []
        strays += [os.path.join(name, file) for file in files if not _is_image(folder, file)]
        paths += [os.path.join(folder, file) for file in files]
        labels += [label] * len(files)
    if strays:
        more = ", the first 5" if len(strays) > 5 else ""
        raise ValueError(
            f"dataset: expected only JPEG and PNG files in the class folders of {root}, "
            f"received {len(strays)} others{more}: {', '.join(strays[:5])}"
        )
    if not paths:
        raise ValueError(f"dataset: expected images in {root}, received none in any class folder")
    return paths, np.array(labels, np.int64)


def _is_image(folder: str, file: str) -> bool:
    return file.lower().endswith(SUFFIXES) and os.path.isfile(os.path.join(folder, file))
