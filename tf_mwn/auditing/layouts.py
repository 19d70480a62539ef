"""Data sets written anew with other labels, in the layout in which they came.

Each function takes the source, where to write, and the `Outcome` of the audited examples. What the
audit has not seen (the other parts, and what was held out) is written as it came.
"""

import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from tf_mwn.auditing.cleaning import Outcome
from tf_mwn.data.arrays import npz_names, read_npz
from tf_mwn.data.sources.csv_list import WEIGHT, read_list
from tf_mwn.data.sources.csv_rows import CLEAN, LABEL, SPLIT, read_fields
from tf_mwn.data.sources.folder import list_folder
from tf_mwn.data.sources.parts import TRAIN, part_of
from tf_mwn.data.sources.table import SAMPLE_WEIGHT
from tf_mwn.data.sources.tokens import TOKENS
from tf_mwn.data.subset import Source
from tf_mwn.files import write_csv

WEIGHTS = "weights.csv"  # of a folder: the weight of each training image by its path
# Arrays of an .npz file with a row for each training example.
_ROWS = ("x", TOKENS, "y", "y_clean", "y_coarse", "sample_id", "weight")


def write_folder(
    source: str, folder: Path, outcome: Outcome, path: Sequence[str], names: Sequence[str]
) -> list[str | None]:
    """Writes a folder of hard links to the images, or of copies where there can be none.

    An image that gets another label moves to the folder of its class; a number is added to its name
    if that folder has such a file. Weights are in weights.csv, `path,weight`.

    Args:
        source: folder of the images.
        folder: an empty folder.
        outcome: of the audited examples.
        path: [N] their paths below `source`.
        names: names of the C classes.

    Returns:
        [N] the new paths below `folder`; None for images that are left out.
    """
    files = list_folder(source)
    place_of = {file: place for place, file in enumerate(path)}
    moved = {file: file for part in files.values() for file in part}
    for file, row in place_of.items():
        moved[file] = _in_class(file, names[outcome.label[row]]) if outcome.kept[row] else None
    train = files[TRAIN]
    _check_classes(map(class_of, train), [class_of(moved[f]) for f in train if moved[f]])
    new = apart(moved)
    for file, place in new.items():
        if place is not None:
            link(os.path.join(source, file), folder / place)
    if outcome.weight is not None:
        _write_weights(folder, new, place_of, outcome)
    return [new[file] for file in path]


def class_of(file: str) -> str:
    return os.path.basename(os.path.dirname(file))


def _in_class(file: str, name: str) -> str:
    """The path of an image in the folder of another class, of the same part."""
    above = os.path.dirname(os.path.dirname(file))
    return os.path.join(above, name, os.path.basename(file))


def apart(moved: dict[str, str | None]) -> dict[str, str | None]:
    """The same places, with a number in the name where two files would be in one."""
    taken = {file for file, place in moved.items() if place == file}
    found = {}
    for file, place in moved.items():
        if place is not None and place != file:
            stem, suffix = os.path.splitext(place)
            number = 2
            while place in taken:
                place, number = f"{stem}_{number}{suffix}", number + 1
            taken.add(place)
        found[file] = place
    return found


def link(file: str, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    file = os.path.realpath(file)
    try:
        os.link(file, place)
    except OSError:  # another disk, or one without links
        shutil.copy2(file, place)


def _write_weights(folder: Path, new: dict, place_of: dict, outcome: Outcome) -> None:
    """Writes weights.csv in the order in which the new folder is read."""
    old_of = {place: file for file, place in new.items()}
    rows = []
    for place in list_folder(str(folder))[TRAIN]:
        row = place_of.get(old_of[place])
        rows.append([place, 1.0 if row is None else float(outcome.weight[row])])
    write_csv(folder / WEIGHTS, ["path", "weight"], rows)


def write_list(
    source: str,
    path: Path,
    folder: Path,
    outcome: Outcome,
    names: Sequence[str],
    label_column: str | None = None,
) -> None:
    """Writes a CSV file, of images or (with `label_column`) of features.

    Weights are in a column of their own.

    Args:
        source: the CSV file.
        path: the file to write.
        folder: where it is going to be: relative paths of images are from there.
        outcome: of the audited examples.
        names: names of the C classes.
        label_column: of a table; None for a list of images.
    """
    rows = read_list(source) if label_column is None else read_fields(source, (label_column, CLEAN))
    label, weights = (LABEL, WEIGHT) if label_column is None else (label_column, SAMPLE_WEIGHT)
    clean = CLEAN if CLEAN in rows[0] else label
    trained = np.array([part_of(row.get(SPLIT) or TRAIN) == TRAIN for row in rows])
    before = [_plain(row[clean]) for row in rows]
    audited, places = outcome.rows(np.arange(len(rows)))
    for number, place in zip(np.flatnonzero(audited), places, strict=True):
        name = names[outcome.label[place]]
        if _plain(rows[number][label]) != name:
            rows[number][label] = name
    if outcome.weight is not None:
        for row, weight in zip(rows, _filled(outcome.weight, audited, places, 1.0), strict=True):
            row[weights] = float(weight)
    for row in rows if label_column is None else ():
        row["path"] = from_folder(row["path"], os.path.dirname(source), folder)
    kept = _filled(outcome.kept, audited, places, True)
    after = [_plain(row[clean]) for row in rows]
    _check_classes(np.array(before)[trained], np.array(after)[trained & kept])
    write_csv(path, rows[0], (row.values() for row, stays in zip(rows, kept, strict=True) if stays))


def _plain(label: str) -> str:
    """A label as the name of its class: a number without zeros before it."""
    return str(int(label)) if re.fullmatch("[0-9]+", label) else label


def from_folder(path: str, old: str, new: Path) -> str:
    """A path of an image that is relative to the folder `old`, from the folder `new`."""
    old = os.path.realpath(old or os.curdir)
    if os.path.isabs(os.path.expanduser(path)) or old == os.path.realpath(new):
        return path
    above, name = os.path.split(os.path.join(old, path))
    return os.path.relpath(os.path.join(os.path.realpath(above), name), os.path.realpath(new))


def write_npz(source: str, path: Path, outcome: Outcome) -> None:
    """Writes an .npz file, with an array `weight` [N] if there are weights."""
    arrays = read_npz("dataset", source, npz_names("dataset", source))
    y = arrays["y"]
    audited, places = outcome.rows(arrays.get("sample_id", np.arange(len(y))))
    kept = _filled(outcome.kept, audited, places, True)
    if outcome.weight is not None:
        arrays["weight"] = _filled(outcome.weight, audited, places, 1.0)
    label = y.astype(np.int64)
    label[audited] = outcome.label[places]
    arrays["y"] = label.astype(np.promote_types(y.dtype, np.min_scalar_type(label.max())))
    clean = arrays.get("y_clean", label)
    if "y_coarse" in arrays and "y_clean" not in arrays:
        superclass = dict(zip(y.tolist(), arrays["y_coarse"].tolist(), strict=True))
        arrays["y_coarse"] = np.array([superclass[k] for k in label.tolist()])
    names = arrays.get("class_names", np.arange(label.max() + 1))
    _check_classes(names[arrays.get("y_clean", y)], names[clean[kept]])
    save_npz(path, {n: a[kept] if n in _ROWS else a for n, a in arrays.items()})


def write_label_file(
    path: Path, outcome: Outcome, source: Source, labels: np.ndarray, names: Sequence[str]
) -> None:
    """Writes the labels of a set that has a name, for `--label_file`: .npz or CSV.

    Args:
        path: the file to write.
        outcome: of the audited examples, none of which is left out.
        source: the set.
        labels: [N] labels of its training part as they came.
        names: names of the C classes.
    """
    audited, places = outcome.rows(source.sample_id)
    label = np.array(names)[_filled(outcome.label, audited, places, labels)]
    columns = {"sample_id": source.sample_id, "label": label}
    if outcome.weight is not None:
        columns["weight"] = _filled(outcome.weight, audited, places, 1.0)
    if path.suffix.lower() == ".npz":
        save_npz(path, columns)
    else:
        rows = zip(*(values.tolist() for values in columns.values()), strict=True)
        write_csv(path, columns, rows)


def save_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    with open(path, "wb") as file:  # given a name, NumPy might add another suffix
        np.savez(file, **arrays)


def _filled(values: np.ndarray, audited: np.ndarray, places: np.ndarray, others) -> np.ndarray:
    """`values` of the audited rows, and `others` (a number, or one for each row) of the rest."""
    filled = np.empty(len(audited), values.dtype)
    filled[:] = others
    filled[audited] = values[places]
    return filled


def _check_classes(before: Iterable, after: Iterable) -> None:
    """Refuses a class that would lose its last training example."""
    lost = sorted(set(map(str, before)) - set(map(str, after)))
    if lost:
        raise ValueError(
            "action: expected every class to keep a training example, "
            f"received none for {', '.join(lost[:5])}"
        )
