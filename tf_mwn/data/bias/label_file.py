"""Labels from a file: .npz, .npy or CSV."""

import csv
import os

import numpy as np

from tf_mwn.checks import check_labels
from tf_mwn.data.arrays import check_lengths, check_unique


def read_labels(path: str, sample_id: np.ndarray, num_classes: int) -> np.ndarray:
    """Reads one label for every example.

    Args:
        path: `.npz` with the arrays `sample_id` and `label`; `.npy` with the labels in source
            order; or a CSV file with the header `sample_id,label`.
        sample_id: [N] ids of the source's training part.
        num_classes: Number of classes C.

    Returns:
        [N] int64 labels in the order of `sample_id`.

    Raises:
        TypeError: Labels or ids that are no integers.
        ValueError: A missing or unreadable file, ids that are unknown, missing or doubled, labels
            out of range, or a wrong number of them.
    """
    _check_exists(path, "label file")
    suffix = os.path.splitext(path)[1].lower()
    if suffix == ".npy":
        labels = check_labels(f"labels in {path}", load_array(path), num_classes)
        if len(labels) != len(sample_id):
            raise ValueError(f"expected {len(sample_id)} labels in {path}, received {len(labels)}")
        return labels
    if suffix not in (".npz", ".csv"):
        raise ValueError(f"expected a label file .npz, .npy or .csv, received {path}")
    ids, labels = _read_npz(path) if suffix == ".npz" else _read_csv(path)
    labels = check_labels(f"labels in {path}", labels, num_classes)
    check_lengths(sample_id=ids, label=labels)
    return labels[rows_of_ids(path, ids, sample_id)]


def _check_exists(path: str, what: str) -> None:
    if not os.path.isfile(path):
        raise ValueError(f"expected a {what}, received {path}, which does not exist")


def load_array(path: str, what: str = "label file"):
    """Returns the array of an .npy file, or the archive of an .npz file.

    Raises:
        ValueError: A file that is missing or is neither.
    """
    _check_exists(path, what)
    try:
        return np.load(path, allow_pickle=False)
    except Exception as error:  # ValueError, EOFError, BadZipFile: any file that is no array
        raise ValueError(f"expected an array of numbers in {path}, received none") from error


def _read_npz(path: str) -> tuple[np.ndarray, np.ndarray]:
    archive = load_array(path)
    names = getattr(archive, "files", [])
    if not {"sample_id", "label"} <= set(names):
        raise ValueError(
            f"expected arrays sample_id and label in {path}, received {', '.join(names) or 'none'}"
        )
    with archive:
        return archive["sample_id"], archive["label"]


def _read_csv(path: str) -> tuple[np.ndarray, np.ndarray]:
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = list(csv.reader(file))
    header = [name.strip() for name in rows[0]] if rows else []
    if header != ["sample_id", "label"]:
        raise ValueError(f"expected the header sample_id,label in {path}, received {header}")
    pairs = np.empty((len(rows) - 1, 2), np.int64)
    for line, row in enumerate(rows[1:]):
        try:
            pairs[line] = [int(row[0]), int(row[1])] if len(row) == 2 else None
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"expected two integers in line {line + 2} of {path}, received {','.join(row)!r}"
            ) from error
    return pairs[:, 0], pairs[:, 1]


def rows_of_ids(path: str, ids: np.ndarray, sample_id: np.ndarray) -> np.ndarray:
    """Returns the row of each `sample_id` among the ids that a file holds, int64 [N].

    Raises:
        TypeError, ValueError: Ids that are no integers, doubled, unknown or missing.
    """
    ids = check_unique(f"sample_id in {path}", ids)
    unknown, missing = np.setdiff1d(ids, sample_id), np.setdiff1d(sample_id, ids)
    if unknown.size:
        raise ValueError(
            f"expected ids of the training examples in {path}, "
            f"received {unknown.size} unknown, the first {unknown[0]}"
        )
    if missing.size:
        raise ValueError(
            f"expected a row for each of {len(sample_id)} training examples in {path}, "
            f"received none for {missing.size}, the first with id {missing[0]}"
        )
    order = np.argsort(ids)
    return order[np.searchsorted(ids, sample_id, sorter=order)]
