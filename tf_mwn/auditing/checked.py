"""Writes the examples that a person checked, as a clean set for `--meta`."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tf_mwn.auditing.cleaning import Outcome
from tf_mwn.auditing.layouts import apart, from_folder, link, save_npz
from tf_mwn.data.arrays import npz_names, read_npz
from tf_mwn.data.sources.csv_list import read_list
from tf_mwn.data.sources.csv_rows import CLEAN, LABEL, SPLIT, read_fields
from tf_mwn.data.sources.tokens import TOKENS
from tf_mwn.files import write_csv


def write_folder(
    source: str, folder: Path, outcome: Outcome, path: Sequence[str], names: Sequence[str]
) -> list[str | None]:
    """Writes a folder of hard links, or of copies, with a folder for each class.

    Args:
        source: folder of the images.
        folder: an empty folder.
        outcome: of the audited examples.
        path: [N] their paths below `source`.
        names: names of the C classes.

    Returns:
        [N] the new paths below `folder`; None for images that are left out.
    """
    moved: dict[str, str | None] = dict.fromkeys(path)
    for row in np.flatnonzero(outcome.kept):
        moved[path[row]] = os.path.join(names[outcome.label[row]], os.path.basename(path[row]))
    new = apart(moved)
    for file, place in new.items():
        if place is not None:
            link(os.path.join(source, file), folder / place)
    return [new[file] for file in path]


def write_rows(
    source: str,
    path: Path,
    folder: Path,
    outcome: Outcome,
    names: Sequence[str],
    label_column: str | None,
) -> None:
    """Writes the rows of a CSV file, of images or (with `label_column`) of features.

    Args:
        source: the CSV file.
        path: the file to write.
        folder: where it is going to be.
        outcome: of the audited examples.
        names: names of the C classes.
        label_column: of a table; None for a list of images.
    """
    rows = read_list(source) if label_column is None else read_fields(source)
    label = label_column or LABEL
    audited, places = outcome.rows(np.arange(len(rows)))
    written = []
    for number, place in zip(np.flatnonzero(audited), places, strict=True):
        if outcome.kept[place]:
            row = {k: v for k, v in rows[number].items() if k not in (CLEAN, SPLIT)}
            row[label] = names[outcome.label[place]]
            if label_column is None:
                row["path"] = from_folder(row["path"], os.path.dirname(source), folder)
            written.append(row)
    write_csv(path, written[0], (row.values() for row in written))


def write_npz(source: str, path: Path, outcome: Outcome) -> None:
    """Writes the inputs and labels of an .npz file, and its `class_names`."""
    arrays = read_npz("dataset", source, npz_names("dataset", source))
    y = arrays["y"]
    audited, places = outcome.rows(arrays.get("sample_id", np.arange(len(y))))
    rows = np.flatnonzero(audited)[outcome.kept[places]]
    name = TOKENS if TOKENS in arrays else "x"
    written = {name: arrays[name][rows], "y": outcome.label[places[outcome.kept[places]]]}
    if "class_names" in arrays:
        written["class_names"] = arrays["class_names"]
    save_npz(path, written)


def write_inputs(path: Path, outcome: Outcome, x, names: Sequence[str]) -> None:
    """Writes the examples of a set that has a name to an .npz file, from its inputs [N, ...]."""
    rows = np.flatnonzero(outcome.kept)
    arrays = {"x": np.asarray(x[rows]), "y": outcome.label[rows]}
    if list(names) != [str(k) for k in range(len(names))]:
        arrays["class_names"] = np.array(names)
    save_npz(path, arrays)
