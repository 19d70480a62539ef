"""The table and the figure that compare the methods of one experiment."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tf_mwn.monitoring import figures
from tf_mwn.runs.run_folder import RunFolder
from tf_mwn.runs.train import Run

BASELINE = "cross_entropy"
_HEADER = (
    "method",
    "seed",
    "last epoch",
    "best epoch",
    "memorised",
    "noise AUC",
    "ms/step",
    "x cross-entropy",
)
_LEGEND = (
    "test accuracy in %; best epoch is the best on the test set, as papers report it\n"
    "memorised: share of the wrong labels that the classifier reproduces, in %\n"
    "noise AUC: how well low weights pick out wrong labels (0.5: not at all, 1: perfectly)"
)


def table(results: Sequence[dict[str, Any]]) -> str:
    """A text table: a row per run, and mean ± standard deviation per method over seeds."""
    methods = list(dict.fromkeys(result["method"] for result in results))
    steps = {m: [r["seconds_per_step"] for r in results if r["method"] == m] for m in methods}
    baseline = np.median(steps[BASELINE]) if BASELINE in steps else None
    rows = [_row(result, baseline) for result in results]
    for method in methods:
        group = [result for result in results if result["method"] == method]
        if len(group) > 1:
            rows.append(_summary_row(method, group, baseline))
    return aligned([_HEADER, *rows]) + "\n" + _LEGEND


def write_accuracy_figure(folder: RunFolder, title: str, runs: Sequence[Run]) -> Path:
    """Writes test_accuracy.png, test accuracy over epochs of every method, to `folder`."""
    curves: dict[str, list[list[float]]] = {}
    for run in runs:
        curves.setdefault(run.method, []).append(_accuracies(run.folder))
    with folder.replacing("test_accuracy.png") as path:
        path.write_bytes(figures.png(figures.accuracy_curves(curves, title)))
    return folder / "test_accuracy.png"


def _accuracies(folder: RunFolder) -> list[float]:
    with open(folder / "metrics.csv", newline="") as file:
        return [float(record["test_accuracy"]) for record in csv.DictReader(file)]


def _row(result: dict[str, Any], baseline: float | None) -> tuple[str, ...]:
    seconds = result["seconds_per_step"]
    return (
        result["method"],
        str(result["seed"]),
        _percent(result["last_epoch_accuracy"]),
        _percent(result["best_epoch_accuracy"]),
        _percent(result["memorised"]),
        _number(result["noise_auc"], "{:.2f}"),
        f"{1000 * seconds:.1f}",
        "-" if baseline is None else f"{seconds / baseline:.2f}",
    )


def _summary_row(method: str, group: list[dict], baseline: float | None) -> tuple[str, ...]:
    def over_seeds(key: str, scale: float, digits: int) -> str:
        values = [result[key] for result in group if result[key] is not None]
        if len(values) < 2:
            return "-"
        mean, deviation = scale * np.mean(values), scale * np.std(values, ddof=1)
        return f"{mean:.{digits}f} ± {deviation:.{digits}f}"

    seconds = float(np.median([result["seconds_per_step"] for result in group]))
    return (
        method,
        "mean ± std",
        over_seeds("last_epoch_accuracy", 100, 1),
        over_seeds("best_epoch_accuracy", 100, 1),
        over_seeds("memorised", 100, 1),
        over_seeds("noise_auc", 1, 2),
        f"{1000 * seconds:.1f}",
        "-" if baseline is None else f"{seconds / baseline:.2f}",
    )


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """The rows as a text table, a line below the first; the first column to the left."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "-" * max(len(line) for line in lines))
    return "\n".join(lines)
