"""A CSV file that lists images with their labels."""

import os
import re

import numpy as np

from tf_mwn.checks import check_file
from tf_mwn.data.images.lists import ImageOptions, read_lists
from tf_mwn.data.sources.parts import TRAIN, assigned, part_of
from tf_mwn.data.sources.source import RawSource
from tf_mwn.files import read_rows
from tf_mwn.messages import logger

_OPTIONAL = {"clean_label", "split", "weight"}  # columns
_NUMBER = re.compile("-?[0-9]{1,18}")  # that int64 holds


def load_csv(path: str, options: ImageOptions, evaluated: bool = False) -> RawSource:
    """Loads the images that a CSV file lists, in its order.

    The header is `path,label`. There are optional columns: `clean_label`, which makes `label` the
    source's own noisy labels; `split`: train, test, validation or meta (clean examples, from which
    the meta set is drawn); and `weight`, which an audit writes and no run uses. Without test rows,
    validation is the test part. An image may have several rows, one for each annotator; they stay
    in one part. The ids are the rows of the file, from 0 and without the header. Paths are relative
    to the file's folder. Labels are integers from 0, or names, which are numbered in sorted order.

    Args:
        path: the CSV file.
        options: how to read the images.
        evaluated: whether the data need no training part.

    Raises:
        ValueError: a header or a row that cannot be read (its line is named), or files that are no
            whole images.
    """
    rows = read_list(path)
    split = np.array([part_of(row.get("split") or TRAIN) for row in rows])
    if evaluated:
        split[:] = TRAIN
    if TRAIN not in split:
        raise ValueError(f"dataset: expected rows of split train in {path}, received none")
    serves = assigned(path, list(dict.fromkeys(split)))
    split = np.array([serves[part] for part in split])
    noisy = "clean_label" in rows[0]
    if "weight" in rows[0]:
        logger.warning("%s: not used: weight", path)
    columns = ("label", "clean_label") if noisy else ("label",)
    labels, names = _numbered([[row[column] for row in rows] for column in columns])
    places = {part: np.flatnonzero(split == part) for part in dict.fromkeys(split)}
    images = _read_images(path, rows, places, options)
    given, clean = labels[0], labels[-1]
    extra = {f"x_{part}": images[part] for part in images if part != TRAIN}
    extra |= {f"y_{part}": clean[places[part]] for part in images if part != TRAIN}
    train = places[TRAIN]
    return RawSource(
        path,
        images[TRAIN],
        clean[train],
        y_given=given[train] if noisy else None,
        class_names=names,
        clean_known=noisy,
        ids=places,
        path=[rows[row]["path"] for row in train],
        is_own=True,
        **extra,
    )


def _read_images(path: str, rows: list[dict], places: dict, options: ImageOptions):
    """Returns the images of each part."""
    root = os.path.dirname(os.path.abspath(path))
    files = [os.path.join(root, os.path.expanduser(row["path"])) for row in rows]
    return read_lists(
        path, root, {name: [files[row] for row in held] for name, held in places.items()}, options
    )


def read_list(path: str) -> list[dict[str, str]]:
    """The rows of a file that `load_csv` loads, each by the names of its columns.

    Raises:
        ValueError: as `load_csv`.
    """
    check_file("dataset", path, (".csv",))
    lines = read_rows("dataset", path)
    header = [name.strip() for name in lines[0]] if lines else []
    if header[:2] != ["path", "label"] or not set(header[2:]) <= _OPTIONAL:
        raise ValueError(
            f"dataset: expected the header path,label (then clean_label, split, weight) in {path}, "
            f"received {header}"
        )
    rows = [
        _read_row(path, number, header, line)
        for number, line in enumerate(lines[1:], start=2)
        if line
    ]
    if not rows:
        raise ValueError(
            f"dataset: expected at least one image in {path}, received the header alone"
        )
    return rows


def _read_row(path: str, number: int, header: list[str], line: list[str]) -> dict[str, str]:
    row = dict(zip(header, (value.strip() for value in line), strict=False))
    complete = len(line) == len(header) and all(row[key] for key in header if key != "split")
    if not complete or part_of(row.get("split") or TRAIN) is None:
        raise ValueError(
            f"dataset: expected {','.join(header)} in line {number} of {path}, "
            f"received {','.join(line)!r}"
        )
    return row


def _numbered(columns: list[list[str]]) -> tuple[list[np.ndarray], tuple[str, ...] | None]:
    """Returns the labels as numbers, and the names of the classes if they are no numbers."""
    names = sorted({label for column in columns for label in column})
    if all(_NUMBER.fullmatch(name) for name in names):
        return [np.array(column, np.int64) for column in columns], None
    number = {name: row for row, name in enumerate(names)}
    return [np.array([number[label] for label in column]) for column in columns], tuple(names)
