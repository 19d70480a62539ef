"""A CSV file that lists images with their labels."""

import os

from tf_mwn.data.images.lists import ImageOptions, read_lists
from tf_mwn.data.sources.csv_rows import (
    CLEAN,
    LABEL,
    SPLIT,
    labelled_rows,
    read_fields,
    read_header,
)
from tf_mwn.data.sources.parts import TRAIN
from tf_mwn.data.sources.source import RawSource
from tf_mwn.messages import logger

WEIGHT = "weight"


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
    found = labelled_rows(path, read_list(path), LABEL, evaluated)
    if WEIGHT in found.rows[0]:
        logger.warning("%s: not used: weight", path)
    root = os.path.dirname(os.path.abspath(path))
    files = [os.path.join(root, os.path.expanduser(row["path"])) for row in found.rows]
    listed = {part: [files[row] for row in rows] for part, rows in found.places.items()}
    images = read_lists(path, root, listed, options)
    return RawSource(
        path,
        images.pop(TRAIN),
        class_names=found.names,
        clean_known=found.noisy,
        ids=found.places,
        path=[found.rows[row]["path"] for row in found.places[TRAIN]],
        is_own=True,
        **found.labels(),
        **{f"x_{part}": x for part, x in images.items()},
    )


def read_list(path: str) -> list[dict[str, str]]:
    """The rows of a file that `load_csv` loads, each by the names of its columns.

    Raises:
        ValueError: as `load_csv`.
    """
    header = read_header(path)
    if header[:2] != ["path", LABEL] or not set(header[2:]) <= {CLEAN, SPLIT, WEIGHT}:
        raise ValueError(
            f"dataset: expected the header path,label (then clean_label, split, weight) in {path}, "
            f"or --label_column with the column of the labels of a table, received {header}"
        )
    return read_fields(path)
