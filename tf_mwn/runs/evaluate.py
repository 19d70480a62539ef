"""Evaluates a finished run on its test set or on other data."""

from pathlib import Path
from typing import Any

import numpy as np

from tf_mwn.data.sources.loading import load
from tf_mwn.data.sources.location import DEFAULT_LOCATION, DataLocation
from tf_mwn.data.subset import Subset
from tf_mwn.monitoring.classification import evaluation
from tf_mwn.runs.finished_run import FinishedRun
from tf_mwn.tables import number, text_table

REPORT, CONFUSION = "evaluation.json", "confusion.csv"


def parts(
    run: FinishedRun, dataset: str | None = None, location: DataLocation = DEFAULT_LOCATION
) -> tuple[list[Subset], str]:
    """The data to evaluate on, and their name: the test set, or all examples of `dataset`.

    Classes are matched by name. A data set without class names calls them "0", "1", ...; these
    are matched by number.

    Raises:
        ValueError, TypeError, OSError: the data cannot be used, or do not fit the run.
    """
    if dataset is None:
        return [run.data.test], f"the test set of {run.config.dataset}"
    source = load(dataset, location, image_size=run.config.image_size)
    wanted, received = tuple(run.data.train.x.shape[1:]), tuple(source.x.shape[1:])
    if wanted != received:
        raise ValueError(f"dataset: expected inputs of shape {wanted}, received {received}")
    classes = _classes(list(source.class_names), run.data.card["class_names"])
    pairs = (source.x, source.y, source.sample_id), (source.x_test, source.y_test, source.test_id)
    return [Subset(x, classes[y], classes[y], ids) for x, y, ids in pairs], dataset


def _classes(names: list[str], known: list[str]) -> np.ndarray:
    """The number that the run gives to each class of a data set."""
    if set(names) <= set(known):
        return np.array([known.index(name) for name in names])
    if len(names) > len(known) or names != [str(i) for i in range(len(names))]:
        raise ValueError(
            f"dataset: expected classes among those of the run, {', '.join(known[:20])}, "
            f"received {', '.join(names[:20])}"
        )
    return np.arange(len(names))


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
