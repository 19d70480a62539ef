"""Labels from a file: .npz, .npy or CSV."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tf_mwn.checks import check_file, check_labels, check_lengths, check_unique
from tf_mwn.data.arrays import read_npy, read_npz
from tf_mwn.data.subset import Source
from tf_mwn.files import read_rows

_OPTION = "label_file"
_SUFFIXES = (".npz", ".npy", ".csv")
_HEADERS = (["sample_id", "label"], ["sample_id", "label", "weight"])
_INTEGER = re.compile("-?[0-9]{1,18}")  # that int64 holds


def find_list(name: str, path: str | None) -> str:
    """The file of a list of labels.

    Args:
        name: of the list: that of its file in a folder of lists, without the suffix.
        path: the file, or its folder.

    Raises:
        ValueError: no path, or a folder without such a file.
    """
    names = [f"{name}{suffix}" for suffix in _SUFFIXES]
    folder = None if path is None else Path(path).expanduser()
    if folder is not None and not folder.is_dir():
        return str(folder)
    found = [folder / file for file in names if (folder / file).is_file()] if folder else []
    if not found:
        raise ValueError(
            f"{_OPTION}: expected the file {', '.join(names[:-1])} or {names[-1]}, or its folder, "
            f"received {'none' if folder is None else f'the folder {path} without it'}"
        )
    return str(found[0])


def read_labels(path: str, source: Source) -> np.ndarray:
    """Reads one label for every training example of a source.

    A label is the name of a class, or its number. Where the names are numbers themselves, such as
    folders 1 to 12, a number is a name.

    Args:
        path: `.npz` with the arrays `sample_id` and `label`; `.npy` with the labels in source
            order; or a CSV file with the header `sample_id,label`. Labels of the test part may be
            among them, and are not used; nor are weights, which an audit writes.
        source: the source.

    Returns:
        [N] int64 labels in the order of the source's training part.

    Raises:
        TypeError: labels or ids that are neither names nor integers.
        ValueError: a missing or unreadable file, ids that are unknown, missing or doubled, labels
            out of range, or a wrong number of them.
    """
    suffix = check_file(_OPTION, path, _SUFFIXES)
    if suffix == ".npy":
        labels = of_training_part(_column("labels", path, read_npy(_OPTION, path)), source)
        if len(labels) != (size := len(source.sample_id)):
            raise ValueError(f"{_OPTION}: expected {size} labels in {path}, received {len(labels)}")
        return _classes(path, labels, source.class_names)
    ids, labels = (_read_csv if suffix == ".csv" else _read_npz)(path)
    check_lengths(sample_id=ids, label=labels)
    rows = rows_of_ids(_OPTION, path, ids, source.sample_id, source.test_id)
    return _classes(path, labels, source.class_names)[rows]


def of_training_part(array: np.ndarray, source: Source) -> np.ndarray:
    """Returns the rows of the training part, if the array has all rows of the user's file."""
    return array[source.sample_id] if len(array) == source.num_rows else array


def _column(what: str, path: str, array: np.ndarray) -> np.ndarray:
    """Returns an array [N]; text in bytes is decoded."""
    if array.ndim != 1:
        hint = f" (use {what}[:, 0])" if array.shape[1:] == (1,) else ""
        raise ValueError(
            f"{what} in {path}: expected shape [N], received {list(array.shape)}{hint}"
        )
    try:
        return np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array
    except UnicodeDecodeError as error:
        raise ValueError(f"{what} in {path}: expected UTF-8, received {error.object!r}") from error


def _classes(path: str, labels: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Returns labels, which are names or numbers, as classes [N]."""
    what = f"labels in {path}"
    if labels.dtype.kind != "U":
        check_labels(what, labels, None if has_numbers(names) else len(names))
        labels = labels.astype(str)
    texts, which = np.unique(labels, return_inverse=True)
    numbers = {} if has_numbers(names) else {str(row): row for row in range(len(names))}
    known = numbers | {plain(name): row for row, name in enumerate(names)}
    found = [known.get(plain(text), -1) for text in texts]
    if -1 in found:
        raise ValueError(
            f"{what}: expected classes among {', '.join(names[:20])}, "
            f"received {texts[found.index(-1)]}"
        )
    return np.array(found, np.int64)[which]


def has_numbers(names: Sequence[str]) -> bool:
    """Whether a number in place of a class is its name: if any name is a number, such as "12"."""
    return any(map(_INTEGER.fullmatch, names))


def plain(name: str) -> str:
    """A name without spaces around it; a number without zeros before it."""
    name = name.strip()
    return str(int(name)) if _INTEGER.fullmatch(name) else name


def _read_npz(path: str) -> tuple[np.ndarray, np.ndarray]:
    arrays = read_npz(_OPTION, path, ("sample_id", "label"))
    return _column("sample_id", path, arrays["sample_id"]), _column("labels", path, arrays["label"])


def _read_csv(path: str) -> tuple[np.ndarray, np.ndarray]:
    header, *rows = [*read_rows(_OPTION, path)] or [[]]
    header = [name.strip() for name in header]
    if header not in _HEADERS:
        raise ValueError(
            f"{_OPTION}: expected the header sample_id,label in {path}, received {header}"
        )
    for line, row in enumerate(rows, start=2):
        if len(row) != len(header) or not _INTEGER.fullmatch(row[0].strip()) or not row[1].strip():
            raise ValueError(
                f"{_OPTION}: expected an integer and a label in line {line} of {path}, "
                f"received {','.join(row)!r}"
            )
    return np.array([int(row[0]) for row in rows], np.int64), np.array([r[1] for r in rows], str)


def rows_of_ids(
    option: str,
    path: str,
    ids: np.ndarray,
    sample_id: np.ndarray,
    others: np.ndarray | None = None,
) -> np.ndarray:
    """Returns the row of each `sample_id` among the ids that an option's file holds, int64 [N].

    The file may hold `others` too.

    Raises:
        TypeError, ValueError: ids that are no integers, doubled, unknown or missing.
    """
    ids = check_unique(f"sample_id in {path}", ids)
    known = sample_id if others is None else np.concatenate([sample_id, others])
    unknown, missing = np.setdiff1d(ids, known), np.setdiff1d(sample_id, ids)
    if unknown.size:
        raise ValueError(
            f"{option}: expected ids of the training examples in {path}, "
            f"received {unknown.size} unknown, the first {unknown[0]}"
        )
    if missing.size:
        raise ValueError(
            f"{option}: expected a row for each of {len(sample_id)} training examples in {path}, "
            f"received none for {missing.size}, the first with id {missing[0]}"
        )
    order = np.argsort(ids)
    return order[np.searchsorted(ids, sample_id, sorter=order)]
