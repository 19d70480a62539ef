"""Labels from a file: .npz, .npy or CSV."""

import csv

import numpy as np

from tf_mwn.checks import check_file, check_labels, check_lengths, check_unique
from tf_mwn.data.arrays import read_npy, read_npz

_OPTION = "label_file"


def read_labels(path: str, sample_id: np.ndarray, num_classes: int) -> np.ndarray:
    """Reads one label for every example.

    Args:
        path: `.npz` with the arrays `sample_id` and `label`; `.npy` with the labels in source
            order; or a CSV file with the header `sample_id,label`.
        sample_id: [N] ids of the source's training part.
        num_classes: number of classes C.

    Returns:
        [N] int64 labels in the order of `sample_id`.

    Raises:
        TypeError: labels or ids that are no integers.
        ValueError: a missing or unreadable file, ids that are unknown, missing or doubled, labels
            out of range, or a wrong number of them.
    """
    suffix = check_file(_OPTION, path, (".npz", ".npy", ".csv"))
    if suffix == ".npy":
        labels = check_labels(f"labels in {path}", read_npy(_OPTION, path), num_classes)
        if len(labels) != len(sample_id):
            raise ValueError(
                f"{_OPTION}: expected {len(sample_id)} labels in {path}, received {len(labels)}"
            )
        return labels
    read = _read_csv if suffix == ".csv" else _read_npz
    ids, labels = read(path)
    labels = check_labels(f"labels in {path}", labels, num_classes)
    check_lengths(sample_id=ids, label=labels)
    return labels[rows_of_ids(_OPTION, path, ids, sample_id)]


def _read_npz(path: str) -> tuple[np.ndarray, np.ndarray]:
    arrays = read_npz(_OPTION, path, ("sample_id", "label"))
    return arrays["sample_id"], arrays["label"]


def _read_csv(path: str) -> tuple[np.ndarray, np.ndarray]:
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = list(csv.reader(file))
    header = [name.strip() for name in rows[0]] if rows else []
    if header != ["sample_id", "label"]:
        raise ValueError(
            f"{_OPTION}: expected the header sample_id,label in {path}, received {header}"
        )
    pairs = np.empty((len(rows) - 1, 2), np.int64)
    for line, row in enumerate(rows[1:]):
        try:
            pairs[line] = [int(row[0]), int(row[1])] if len(row) == 2 else None
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{_OPTION}: expected two integers in line {line + 2} of {path}, "
                f"received {','.join(row)!r}"
            ) from error
    return pairs[:, 0], pairs[:, 1]


def rows_of_ids(option: str, path: str, ids: np.ndarray, sample_id: np.ndarray) -> np.ndarray:
    """Returns the row of each `sample_id` among the ids that an option's file holds, int64 [N].

    Raises:
        TypeError, ValueError: ids that are no integers, doubled, unknown or missing.
    """
    ids = check_unique(f"sample_id in {path}", ids)
    unknown, missing = np.setdiff1d(ids, sample_id), np.setdiff1d(sample_id, ids)
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
