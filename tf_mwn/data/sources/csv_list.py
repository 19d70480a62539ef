"""A CSV file that lists images with their labels."""

import csv
import os

import numpy as np

from tf_mwn.checks import check_file
from tf_mwn.data.images.lists import ImageOptions, read_lists
from tf_mwn.data.sources.source import RawSource

_SPLITS = ("train", "test", "meta")


def load_csv(path: str, options: ImageOptions) -> RawSource:
    """Loads the images that a CSV file lists, in its order.

    The header is `path,label`. There are two optional columns: `clean_label`, which makes `label`
    the source's own noisy labels, and `split`: train, test or meta (clean examples, from which the
    meta set is drawn). Paths are relative to the file's folder. Labels are integers from 0, or
    names, which are numbered in sorted order.

    Args:
        path: the CSV file.
        options: how to read the images.

    Raises:
        ValueError: a header or a row that cannot be read (its line is named), or files that are no
            whole images.
    """
    rows = _read_rows(path)
    split = np.array([row.get("split") or "train" for row in rows])
    noisy = "clean_label" in rows[0]
    columns = ("label", "clean_label") if noisy else ("label",)
    labels, names = _numbered([[row[column] for row in rows] for column in columns])
    images = _read_images(path, rows, split, options)
    given, clean = labels[0], labels[-1]
    extra = {f"x_{part}": images[part] for part in images if part != "train"}
    extra |= {f"y_{part}": clean[split == part] for part in images if part != "train"}
    train = split == "train"
    return RawSource(
        path,
        images["train"],
        clean[train],
        y_given=given[train] if noisy else None,
        class_names=names,
        clean_known=noisy,
        **extra,
    )


def _read_images(path: str, rows: list[dict], split: np.ndarray, options: ImageOptions):
    """Returns the images of each part that there is."""
    if not np.any(split == "train"):
        raise ValueError(f"dataset: expected rows of split train in {path}, received none")
    root = os.path.dirname(os.path.abspath(path))
    paths = np.array([os.path.join(root, row["path"]) for row in rows], dtype=object)
    parts = {name: list(paths[split == name]) for name in _SPLITS if np.any(split == name)}
    return read_lists(path, root, parts, options)


def _read_rows(path: str) -> list[dict[str, str]]:
    check_file("dataset", path, (".csv",))
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            lines = list(csv.reader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            f"dataset: expected a CSV file in UTF-8, received {path} ({error})"
        ) from error
    header = [name.strip() for name in lines[0]] if lines else []
    if header[:2] != ["path", "label"] or not set(header[2:]) <= {"clean_label", "split"}:
        raise ValueError(
            f"dataset: expected the header path,label (then clean_label, split) in {path}, "
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
    if not complete or (row.get("split") or "train") not in _SPLITS:
        raise ValueError(
            f"dataset: expected {','.join(header)} in line {number} of {path}, "
            f"received {','.join(line)!r}"
        )
    return row


def _numbered(columns: list[list[str]]) -> tuple[list[np.ndarray], tuple[str, ...] | None]:
    """Returns the labels as numbers, and the names of the classes if they are no numbers."""
    try:
        return [np.array([int(label) for label in column]) for column in columns], None
    except ValueError:
        names = sorted({label for column in columns for label in column})
        number = {name: row for row, name in enumerate(names)}
        return [np.array([number[label] for label in column]) for column in columns], tuple(names)
