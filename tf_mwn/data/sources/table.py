"""A CSV file of feature columns, or of tokens, with a column of labels."""

import re
from collections.abc import Sequence

import numpy as np

from tf_mwn.data.sources.csv_rows import CLEAN, SPLIT, field_chunks, labelled_rows, read_header
from tf_mwn.data.sources.parts import TRAIN
from tf_mwn.data.sources.source import RawSource
from tf_mwn.data.sources.tokens import TOKENS, of_length, padded
from tf_mwn.messages import logger

# Not "weight", which may well be a feature.
SAMPLE_WEIGHT = "sample_weight"
_NAMELESS = re.compile(r"(Unnamed: \d+)?")  # the second is what pandas makes of the first
_LISTED = 5  # columns that a message names


def load_table(
    path: str,
    label_column: str,
    columns: Sequence[str] | None = None,
    evaluated: bool = False,
) -> RawSource:
    """Loads a table: each row is an example.

    Every column holds numbers and is a feature, but for the labels and three others, if there are
    any: `clean_label`, true labels, which makes the label column the source's own noisy labels;
    `split`: train, test, validation or meta (clean examples); and `sample_weight`, which an audit
    writes and no run uses. A single feature column `tokens` holds sequences instead: integers from
    1 with blanks between, which are padded with 0 at the end. The ids are the rows of the file,
    from 0 and without the header. Labels are integers from 0, or names, numbered in sorted order.

    Args:
        path: the CSV file.
        label_column: name of the column of labels.
        columns: the feature columns wanted, in order; None for all of the file.
        evaluated: whether the data need no training part.

    Raises:
        ValueError: a column that is missing, or a field that is no number (its line is named).
    """
    columns = feature_columns(path, label_column) if columns is None else list(columns)
    chunks, rows = list[np.ndarray](), list[dict[str, str]]()
    for chunk in field_chunks(path, (label_column, CLEAN)):
        _check_columns(path, chunk[0], [*columns, label_column])
        chunks.append(features(path, chunk, columns, first=len(rows)))
        others = [name for name in (label_column, CLEAN, SPLIT, SAMPLE_WEIGHT) if name in chunk[0]]
        rows += [{name: row[name] for name in others} for row in chunk]
    if SAMPLE_WEIGHT in rows[0]:
        logger.warning("%s: not used: %s", path, SAMPLE_WEIGHT)
    found = labelled_rows(path, rows, label_column, evaluated)
    if columns == [TOKENS]:
        longest = max(chunk.shape[1] for chunk in chunks)
        chunks = [of_length(TOKENS, chunk, longest) for chunk in chunks]
    x = np.concatenate(chunks)
    parts = {f"x_{part}": x[held] for part, held in found.places.items() if part != TRAIN}
    return RawSource(
        path,
        x[found.places[TRAIN]],
        class_names=found.names,
        clean_known=found.noisy,
        ids=found.places,
        is_own=True,
        columns=tuple(columns),
        is_tokens=columns == [TOKENS],
        **found.labels(),
        **parts,
    )


def _check_columns(path: str, row: dict[str, str], columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in row]
    if missing:
        raise ValueError(
            f"dataset: expected the columns {_listed(columns)} in {path}, "
            f"received none called {_listed(missing)}"
        )


def feature_columns(path: str, label_column: str) -> list[str]:
    """The names of the feature columns of a file that `load_table` loads.

    Raises:
        ValueError: no such label column, no feature column, a name that two columns have, or a
            column without one.
    """
    header = read_header(path)
    if label_column not in header:
        raise ValueError(
            f"label_column: expected a column of {path}, {_listed(header)}, received {label_column}"
        )
    doubled = [name for name in header if header.count(name) > 1]
    if doubled:
        raise ValueError(
            f"dataset: expected columns of different names in {path}, received {doubled[0]!r} twice"
        )
    nameless = [k for k, name in enumerate(header, start=1) if _NAMELESS.fullmatch(name)]
    if nameless:
        raise ValueError(
            f"dataset: expected a name for every column of {path}, received none for column "
            f"{nameless[0]}; the index of a DataFrame is left out by to_csv(index=False)"
        )
    columns = [n for n in header if n not in {label_column, CLEAN, SPLIT, SAMPLE_WEIGHT}]
    if not columns:
        raise ValueError(f"dataset: expected feature columns in {path}, received none")
    return columns


def features(
    path: str,
    rows: Sequence[dict[str, str]],
    columns: Sequence[str],
    option: str = "dataset",
    first: int = 0,
) -> np.ndarray:
    """The features of rows, float64 [N, D]; of a column `tokens` alone float32 [N, longest].

    Messages count the rows from `first` on.

    Raises:
        ValueError: a field that is no number.
    """
    if list(columns) == [TOKENS]:
        return padded(path, [row[TOKENS] for row in rows], first)
    x = np.empty((len(rows), len(columns)))
    for k, name in enumerate(columns):
        values = [row[name] for row in rows]
        try:
            x[:, k] = values
        except ValueError:
            _refuse(option, path, name, values, first)
    return x


def _refuse(option: str, path: str, name: str, values: Sequence[str], first: int) -> None:
    """Raises the error for the first field of a column that is no number."""
    for row, value in enumerate(values, start=first):
        try:
            float(value)
        except ValueError:
            raise ValueError(
                f"{option}: expected numbers in column {name!r} of {path}, received {value!r} in "
                f"row {row}; leave the column out, or make numbers of it"
            ) from None


def _listed(names: Sequence[str]) -> str:
    more = ", ..." if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
