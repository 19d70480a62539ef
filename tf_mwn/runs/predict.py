"""The classes that a finished run predicts for a user's files."""

import dataclasses
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tf_mwn.checks import check_count
from tf_mwn.data.arrays import npz_names, read_npz
from tf_mwn.data.images.decoding import SUFFIXES, ImageFormat, check_scale, examine
from tf_mwn.data.images.files import ImageFiles
from tf_mwn.data.sources.clothing1m import MARGIN, is_clothing1m
from tf_mwn.data.sources.csv_rows import read_fields
from tf_mwn.data.sources.table import features
from tf_mwn.data.sources.tokens import TOKENS, checked, of_length
from tf_mwn.data.subset import Subset
from tf_mwn.files import read_columns
from tf_mwn.messages import logger
from tf_mwn.runs.evaluate import columns_of, fitted_inputs
from tf_mwn.runs.finished_run import FinishedRun

_LISTED = 5  # unusable files that a message names


@dataclasses.dataclass(frozen=True)
class Inputs:
    """Inputs of one kind, in the order in which they were named.

    Attributes:
        x: [n, ...] array or `ImageFiles`.
        file: [n] the file of each.
        row: [n] the row of each in its file; None for images.
    """

    x: Any
    file: Sequence[str]
    row: Sequence[int] | None


def inputs_of(run: FinishedRun, paths: Sequence[str]) -> list[Inputs]:
    """The inputs that paths name, as the run takes them.

    Args:
        run: the run.
        paths: image files (JPEG, PNG); folders, of which all images are taken, with those of the
            folders in them, in the order of their paths; CSV files with a column `path`, relative
            to the file, or with the feature columns of a run on a table, in any order; and .npz
            files with an array `x` (or `tokens`). Images are scaled and cropped to the size of the
            run's.

    Raises:
        TypeError, ValueError: a path that is not there, or inputs that the run cannot take.
        OSError: a file cannot be read.
    """
    shape = tuple(run.data.train.x.shape[1:])
    margin = MARGIN if is_clothing1m(run.config.dataset) else 1.0
    found, images, columns = [], [], columns_of(run)
    for path in paths:
        x = _rows(path, columns, shape)
        if x is not None:
            found += _images(images, shape, margin)
            images = []
            x = fitted_inputs("x", x, shape, "files")
            check_scale("files", x, "the run's own", run.data.test.x)  # which no bias alters
            found.append(Inputs(x, [path] * len(x), range(len(x))))
        else:
            images += _named(path)
    return [*found, *_images(images, shape, margin)]


def _rows(path: str, columns: Sequence[str] | None, shape: tuple[int, ...]) -> Any:
    """The inputs that a file holds row by row; None for a file that lists or is images.

    `columns` are the feature columns of a run on a table; sequences of tokens get the length of
    those in `shape`.
    """
    if path.lower().endswith(".npz"):
        name = TOKENS if TOKENS in npz_names("files", path) else "x"
        x = read_npz("files", path, [name])[name]
        is_sequences = name == TOKENS and len(shape) == 1
        return of_length("files", checked(name, x), *shape) if is_sequences else x
    if columns is None or not path.lower().endswith(".csv"):
        return None
    rows = read_fields(path, (), "files")
    missing = [name for name in columns if name not in rows[0]]
    if missing:
        raise ValueError(
            f"files: expected the feature columns of the run in {path}, received none called "
            f"{', '.join(missing[:_LISTED])}"
        )
    x = features(path, rows, columns, "files")
    return of_length("files", x, *shape) if list(columns) == [TOKENS] else x


def _named(path: str) -> list[str]:
    """The images that a path names."""
    if os.path.isdir(path):
        images = sorted(_below(path))
        if not images:
            raise ValueError(f"files: expected JPEG or PNG images in {path}, received none")
        return images
    if not os.path.isfile(path):
        raise ValueError(f"files: expected a file or folder, received {path}, which does not exist")
    if path.lower().endswith(".csv"):
        columns = {name.strip(): values for name, values in read_columns(path).items()}
        if not columns.get("path"):
            raise ValueError(f"files: expected a column path with images in {path}, received none")
        root = os.path.dirname(path)
        return [os.path.join(root, os.path.expanduser(p.strip())) for p in columns["path"]]
    return [path]


def _below(folder: str) -> Iterator[str]:
    """The images in a folder and in those below it. Hidden ones are passed over."""
    for root, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield os.path.join(root, name)


def _images(paths: list[str], shape: tuple[int, ...], margin: float) -> list[Inputs]:
    """The files as inputs that are decoded batch by batch; empty without files."""
    if not paths:
        return []
    if len(shape) != 3 or shape[-1] not in (1, 3):
        raise ValueError(
            f"files: expected .npz files of inputs of shape {list(shape)}, received the image "
            f"{paths[0]}"
        )
    _check_whole(paths, shape)
    array = np.array([os.fsencode(os.path.abspath(path)) for path in paths])
    files = ImageFiles(array, ImageFormat(*shape, margin), np.zeros(len(paths), np.uint64))
    return [Inputs(files, paths, None)]


def _check_whole(paths: list[str], shape: tuple[int, ...]) -> None:
    """Refuses files that are no images, before any work; says how many have another size."""
    broken, scaled = [], 0
    for path in paths:
        try:
            (width, height), _, _ = examine(path)
            scaled += (height, width) != shape[:2]
        except ValueError as error:
            broken.append(f"{path} ({error})")
    if broken:
        more = f", the first {_LISTED}" if len(broken) > _LISTED else ""
        raise ValueError(
            f"files: expected whole JPEG and PNG images, received {len(broken)} unusable{more}: "
            f"{', '.join(broken[:_LISTED])}"
        )
    if scaled:
        logger.info("%d images are scaled and cropped to %dx%d", scaled, *shape[:2])


def predictions(run: FinishedRun, inputs: Iterable[Inputs]) -> Iterator[tuple]:
    """Yields the file, the row or None, and the probabilities [C] of each input."""
    from scipy.special import softmax

    for part in inputs:
        none = np.zeros(len(part.file), np.int64)
        logits = run.logits(Subset(part.x, none, None, np.arange(len(none))))
        rows = part.row or [None] * len(none)
        yield from zip(part.file, rows, softmax(logits.astype(np.float64), axis=1), strict=True)


def table(
    run: FinishedRun, inputs: Iterable[Inputs], top_k: int, every_class: bool
) -> tuple[list[str], Iterator[list]]:
    """The predictions as a table: its header, and its rows.

    The columns are file, row, class and probability; class_2, probability_2 and so on up to
    `top_k`; and with `every_class` the probability of each class, under its name.

    Raises:
        ValueError: more classes asked for than there are.
    """
    names = run.data.card["class_names"]
    check_count("top_k", top_k, 1, most=len(names), counted="classes of the run")
    header = ["file", "row", "class", "probability"]
    header += [f"{what}_{k}" for k in range(2, top_k + 1) for what in ("class", "probability")]
    header += [f"p({name})" for name in names] if every_class else []
    return header, (
        [file, row, *_best(p, names, top_k), *(p.tolist() if every_class else [])]
        for file, row, p in predictions(run, inputs)
    )


def _best(probabilities: np.ndarray, names: Sequence[str], top_k: int) -> list:
    """The names of the likeliest classes, each before its probability."""
    best = np.argsort(-probabilities, kind="stable")[:top_k]
    return [value for k in best for value in (names[k], float(probabilities[k]))]
