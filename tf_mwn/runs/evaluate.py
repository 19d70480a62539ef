"""Evaluates a finished run on its test set or on other data."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tf_mwn.checks import check_labels
from tf_mwn.data.bias.label_file import has_numbers, plain
from tf_mwn.data.images.decoding import check_scale, fit_images
from tf_mwn.data.sources.loading import read
from tf_mwn.data.sources.location import DEFAULT_LOCATION, DataLocation
from tf_mwn.data.sources.naming import located
from tf_mwn.data.sources.source import check_inputs
from tf_mwn.data.sources.table import feature_columns
from tf_mwn.data.sources.tokens import of_length
from tf_mwn.data.subset import Subset
from tf_mwn.monitoring.classification import evaluation
from tf_mwn.runs.finished_run import FinishedRun
from tf_mwn.tables import number, text_table

REPORT, CONFUSION = "evaluation.json", "confusion.csv"


def parts(
    run: FinishedRun, dataset: str | None = None, location: DataLocation = DEFAULT_LOCATION
) -> tuple[list[Subset], str]:
    """The data to evaluate on, and their name: the test set, or all examples of `dataset`.

    Classes are matched by name; those of a data set without names by number. The data may lack
    classes, and have no parts: all of their examples are used.

    Raises:
        ValueError, TypeError, OSError: the data cannot be used, or do not fit the run.
    """
    if dataset is None:
        return [run.data.test], f"the test set of {run.config.dataset}"
    shape = tuple(run.data.train.x.shape[1:])
    raw = read(
        located(dataset),
        location,
        image_size=run.config.image_size,
        channels=shape[-1] if len(shape) == 3 else None,
        label_column=run.config.label_column,
        columns=columns_of(run),
        evaluated=True,
    )
    known, subsets = run.data.card["class_names"], []
    for what, x, y in raw.examples():
        x = of_length("dataset", x, *shape) if raw.is_tokens and len(shape) == 1 else x
        x, classes = fitted_inputs(what, x, shape), _classes(what, y, raw.class_names, known)
        check_scale("dataset", x, "the run's own", run.data.test.x)  # which no bias alters
        subsets.append(Subset(x, classes, classes, np.arange(len(classes))))
    return subsets, dataset


def columns_of(run: FinishedRun) -> list[str] | None:
    """The feature columns of a run on a table, in order; None for other data."""
    label_column = run.config.label_column
    return None if label_column is None else feature_columns(run.config.dataset, label_column)


def fitted_inputs(what: str, x: Any, shape: tuple[int, ...], option: str = "dataset") -> Any:
    """Inputs of the shape that a run takes. Grey images become coloured, and the other way.

    Raises:
        TypeError, ValueError: inputs that cannot be used, or have another shape.
    """
    x = check_inputs(what, x)
    received = tuple(x.shape[1:])
    if received == shape:
        return x
    if len(received) == len(shape) == 3 and received[:2] == shape[:2]:
        return fit_images(np.asarray(x), shape, what)
    raise ValueError(f"{option}: expected inputs of shape {shape}, received {received}")


def _classes(what: str, y: Any, names: Sequence[str] | None, known: Sequence[str]) -> np.ndarray:
    """The run's classes [N] of labels. Any of the classes may be missing.

    A label is the name of a class; where the data have no names, its number. If the run has classes
    whose names are numbers, such as folders 1 to 12, a number is a name.
    """
    y = check_labels(f"labels of {what}", y, None if names is None else len(names))
    present = np.unique(y)
    texts = [str(label) if names is None else names[label] for label in present]
    number = {name: row for row, name in enumerate(_numbers(known) if names is None else known)}
    strays = [text for text in texts if text not in number]
    if strays:
        raise ValueError(
            f"dataset: expected classes among those of the run, {', '.join(known[:20])}, "
            f"received {', '.join(strays[:20])}"
        )
    found = [number[text] for text in texts]
    return np.asarray(found, np.int64)[np.searchsorted(present, y)]


def _numbers(names: Sequence[str]) -> list[str]:
    """What labels without names call the classes of a run."""
    if has_numbers(names):
        return list(map(plain, names))
    return list(map(str, range(len(names))))


def evaluate(run: FinishedRun, subsets: list[Subset]) -> dict[str, Any]:
    """See `tf_mwn.monitoring.classification.evaluation`."""
    logits = np.concatenate([run.logits(subset) for subset in subsets])
    return evaluation(logits, np.concatenate([subset.label for subset in subsets]))


def write(run: FinishedRun, result: dict[str, Any], name: str) -> list[Path]:
    """Writes evaluation.json, and confusion.csv with true classes in rows; returns the paths."""
    names = run.data.card["class_names"]
    numbers = {key: value for key, value in result.items() if key != "confusion"}
    run.folder.write_json(REPORT, {"dataset": name, **numbers})
    rows = [[names[i], *counts] for i, counts in enumerate(result["confusion"].tolist())]
    run.folder.write_csv(CONFUSION, ["true class", *names], rows)
    return [run.folder / REPORT, run.folder / CONFUSION]


def text(result: dict[str, Any], names: list[str], largest: int = 20) -> str:
    """The result for a terminal, with the confusion matrix of at most `largest` classes."""
    header = ["true class", "recall"]
    rows = [
        [name, number(recall, ".3f")] for name, recall in zip(names, result["recall"], strict=True)
    ]
    if len(names) <= largest:
        header.append("predicted, in the same order")
        digits = len(str(int(result["confusion"].max())))
        for row, counts in zip(rows, result["confusion"], strict=True):
            row.append(" ".join(f"{count:{digits}d}" for count in counts))
    return (
        f"{result['examples']} examples, accuracy {result['accuracy']:.4f}, "
        f"balanced accuracy {result['balanced_accuracy']:.4f}, "
        f"expected calibration error {result['expected_calibration_error']:.4f}\n"
        f"{text_table(header, rows, left=(0, 2))}"
    )
