"""The rows of a CSV file with a label each, and the parts that they are of."""

import dataclasses
import itertools
import re
from collections.abc import Collection, Iterator, Mapping

import numpy as np

from tf_mwn.checks import check_file
from tf_mwn.data.sources.parts import TRAIN, assigned, part_of
from tf_mwn.files import read_rows

LABEL, CLEAN, SPLIT = "label", "clean_label", "split"
_CHUNK = 1024  # rows held as text at a time
_NUMBER = re.compile("-?[0-9]{1,18}")  # that int64 holds


@dataclasses.dataclass(frozen=True)
class LabelledRows:
    """The N rows of a file.

    Attributes:
        rows: the fields of each row, by the names of the columns.
        places: the rows of each part that there is, by its name.
        given: [N] labels.
        clean: [N] true labels; the given ones if there is no column of them.
        noisy: whether there is one.
        names: names of the classes; None if labels are numbers.
    """

    rows: list[dict[str, str]]
    places: Mapping[str, np.ndarray]
    given: np.ndarray
    clean: np.ndarray
    noisy: bool
    names: tuple[str, ...] | None

    def labels(self) -> dict[str, np.ndarray]:
        """The labels of each part as `RawSource` takes them: y, y_given, y_test and so on."""
        train = self.places[TRAIN]
        others = {f"y_{p}": self.clean[rows] for p, rows in self.places.items() if p != TRAIN}
        given = {"y_given": self.given[train]} if self.noisy else {}
        return {"y": self.clean[train], **given, **others}


def labelled_rows(path: str, rows: list[dict[str, str]], label: str, evaluated: bool = False):
    """Numbers the labels of rows and sorts the rows into parts; see `LabelledRows`.

    Labels are integers from 0, or names, which are numbered in sorted order.

    Args:
        path: the file, for messages.
        rows: its rows.
        label: name of the column of the labels.
        evaluated: whether all rows are one part, whatever their split.

    Raises:
        ValueError: no row of the training part.
    """
    split = np.array([TRAIN if evaluated else part_of(row.get(SPLIT) or TRAIN) for row in rows])
    if TRAIN not in split:
        raise ValueError(f"dataset: expected rows of split train in {path}, received none")
    serves = assigned(path, list(dict.fromkeys(split)))
    split = np.array([serves[part] for part in split])
    noisy = CLEAN in rows[0]
    columns = (label, CLEAN) if noisy else (label,)
    labels, names = _numbered([[row[column] for row in rows] for column in columns])
    places = {part: np.flatnonzero(split == part) for part in dict.fromkeys(split)}
    return LabelledRows(rows, places, labels[0], labels[-1], noisy, names)


def read_header(path: str) -> list[str]:
    """The names of the columns, without the blanks around them.

    Raises:
        ValueError: the file is missing, or no CSV in UTF-8.
    """
    check_file("dataset", path, (".csv",))
    return _header(read_rows("dataset", path))


def _header(lines: Iterator[list[str]]) -> list[str]:
    return [name.strip() for name in next(lines, [])]


def read_fields(
    path: str, filled: Collection[str] | None = None, option: str = "dataset"
) -> list[dict[str, str]]:
    """The rows of a CSV file, each by the names of its columns. Empty lines are passed over.

    Args:
        path: the file.
        filled: columns whose fields must not be empty, where the file has them; None for all but
            `split`.
        option: what gave the file, for messages.

    Raises:
        ValueError: no row, or one that cannot be read (its line is named).
    """
    return [row for rows in field_chunks(path, filled, option) for row in rows]


def field_chunks(
    path: str, filled: Collection[str] | None = None, option: str = "dataset"
) -> Iterator[list[dict[str, str]]]:
    """As `read_fields`, some rows at a time: text takes many times the memory of its numbers."""
    check_file(option, path, (".csv",))
    lines = read_rows(option, path)
    header = _header(lines)
    filled = [name for name in header if (name != SPLIT if filled is None else name in filled)]
    rows = (
        _row(option, path, number, header, filled, line)
        for number, line in enumerate(lines, start=2)
        if line
    )
    chunk = [*itertools.islice(rows, _CHUNK)]
    if not chunk:
        raise ValueError(f"{option}: expected at least one row in {path}, received only the header")
    while chunk:
        yield chunk
        chunk = [*itertools.islice(rows, _CHUNK)]


def _row(
    option: str, path: str, number: int, header: list, filled: list, line: list[str]
) -> dict[str, str]:
    row = dict(zip(header, (value.strip() for value in line), strict=False))
    complete = len(line) == len(header) and all(row[key] for key in filled)
    if not complete or part_of(row.get(SPLIT) or TRAIN) is None:
        raise ValueError(
            f"{option}: expected {','.join(header)} in line {number} of {path}, "
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
