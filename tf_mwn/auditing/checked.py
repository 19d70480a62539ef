"""Writes the examples that a person checked, as a clean set for `--meta`.

The clean set of the run goes before them, so that one that is checked in rounds grows.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tf_mwn.auditing.cleaning import Outcome
from tf_mwn.auditing.layouts import apart, class_of, from_folder, link, save_npz
from tf_mwn.data.sources.csv_list import read_list
from tf_mwn.data.sources.csv_rows import CLEAN, LABEL, SPLIT, read_fields
from tf_mwn.data.sources.folder import list_folder
from tf_mwn.data.sources.source import RawSource
from tf_mwn.data.sources.tokens import TOKENS
from tf_mwn.files import write_csv


def write_folder(
    source: str,
    folder: Path,
    outcome: Outcome,
    path: Sequence[str],
    names: Sequence[str],
    before: str | None = None,
) -> list[str | None]:
    """Writes a folder of hard links, or of copies, with a folder for each class.

    Args:
        source: folder of the images.
        folder: an empty folder.
        outcome: of the audited examples.
        path: [N] their paths below `source`.
        names: names of the C classes.
        before: folder of the clean set so far.

    Returns:
        [N] the new paths below `folder`; None for images that are left out.
    """
    files = [os.path.join(source, file) for file in path]
    moved: dict[str, str | None] = {}
    for part in list_folder(before).values() if before else ():
        moved |= {os.path.join(before, file): _in_class(class_of(file), file) for file in part}
    moved |= dict.fromkeys(files)
    for row in np.flatnonzero(outcome.kept):
        moved[files[row]] = _in_class(names[outcome.label[row]], path[row])
    new = apart(moved)
    for file, place in new.items():
        if place is not None:
            link(file, folder / place)
    return [new[file] for file in files]


def _in_class(name: str, file: str) -> str:
    return os.path.join(name, os.path.basename(file))


def write_rows(
    source: str,
    path: Path,
    folder: Path,
    outcome: Outcome,
    names: Sequence[str],
    label_column: str | None,
    before: str | None = None,
) -> None:
    """Writes the rows of a CSV file, of images or (with `label_column`) of features.

    Args:
        source: the CSV file.
        path: the file to write.
        folder: where it is going to be.
        outcome: of the audited examples.
        names: names of the C classes.
        label_column: of a table; None for a list of images.
        before: CSV file of the clean set so far.
    """
    rows, label = _rows(source, folder, label_column), label_column or LABEL
    audited, places = outcome.rows(np.arange(len(rows)))
    written = _rows(before, folder, label_column) if before else []
    for number, place in zip(np.flatnonzero(audited), places, strict=True):
        if outcome.kept[place]:
            written.append({**rows[number], label: names[outcome.label[place]]})
    header = [name for name in rows[0] if name in written[0]]
    write_csv(path, header, ([row[name] for name in header] for row in written))


def _rows(source: str, folder: Path, label_column: str | None) -> list[dict[str, str]]:
    """The rows of a file with true labels, where it has them, and paths from `folder`."""
    rows = read_list(source) if label_column is None else read_fields(source, (label_column, CLEAN))
    label = label_column or LABEL
    rows = [{**row, label: row.get(CLEAN, row[label])} for row in rows]
    rows = [{k: v for k, v in row.items() if k not in (CLEAN, SPLIT)} for row in rows]
    for row in rows if label_column is None else ():
        row["path"] = from_folder(row["path"], os.path.dirname(source), folder)
    return rows


def write_npz(
    path: Path,
    outcome: Outcome,
    x: Any,
    names: Sequence[str],
    source: RawSource,
) -> None:
    """Writes an .npz file of inputs and labels, with `class_names` unless these are numbers.

    Args:
        path: the file to write.
        outcome: of the audited examples.
        x: [N, ...] their inputs.
        names: names of the C classes.
        source: the data set, with the clean set so far as `x_meta` and `y_meta`.
    """
    rows = np.flatnonzero(outcome.kept)
    inputs, labels = [np.asarray(x[rows])], [outcome.label[rows]]
    if source.x_meta is not None:
        inputs, labels = [np.asarray(source.x_meta), *inputs], [source.y_meta, *labels]
    inputs, labels = np.concatenate(inputs), np.concatenate(labels)
    arrays = {TOKENS: inputs.astype(np.int64)} if source.is_tokens else {"x": inputs}
    arrays["y"] = labels
    if list(names) != [str(k) for k in range(len(names))]:
        arrays["class_names"] = np.array(names)
    save_npz(path, arrays)
