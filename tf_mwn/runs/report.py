"""The table and the figure that compare the methods of one experiment."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tf_mwn.data.splits.card_text import TEST_LABELS
from tf_mwn.files import Folder
from tf_mwn.monitoring import figures
from tf_mwn.monitoring.health import advice
from tf_mwn.runs.run import Run
from tf_mwn.tables import mean_and_deviation, number, text_table

BASELINE = "cross_entropy"
# The title, scale and digits of the column for each entry of results.json.
_MEASURES = {
    "last_epoch_accuracy": ("last epoch", 100, 1),
    "best_epoch_accuracy": ("best epoch", 100, 1),
    "last_epoch_balanced_accuracy": ("balanced", 100, 1),
    "memorised": ("memorised", 100, 1),
    "noise_auc": ("noise AUC", 1, 2),
    "planted_auc": ("planted AUC", 1, 2),
    "weight_spread": ("spread", 1, 2),
    "effective_fraction": ("effective", 1, 2),
}
_LEGEND = (
    "test accuracy in %, against {against}; best epoch: the best on the test set, as papers report "
    "it\n"
    "balanced: mean accuracy of the classes in the last epoch, in %\n"
    "memorised: share of the wrong labels that the classifier reproduces, in %\n"
    "noise AUC: how well low weights pick out wrong labels (0.5: not at all, 1: perfectly)\n"
    "planted AUC: the same for wrong labels planted among clean examples; needs no true labels "
    "(of V, also where robust does not use it)\n"
    "spread: 95th minus 5th percentile of the weights; effective: (Σv)²/(N Σv²), 1 if all are equal"
)


def table(results: Sequence[dict[str, Any]], test_labels: str) -> str:
    """A text table with a row per run, and per method mean ± standard deviation over seeds.

    `test_labels` is what the data card says of them.
    """
    methods = list(dict.fromkeys(result["method"] for result in results))
    steps = {m: [r["seconds_per_step"] for r in results if r["method"] == m] for m in methods}
    baseline = np.median(steps[BASELINE]) if BASELINE in steps else None
    rows = [_row(str(result["seed"]), [result], baseline) for result in results]
    for method in methods:
        group = [result for result in results if result["method"] == method]
        if len(group) > 1:
            rows.append(_row("mean ± std", group, baseline))
    titles = [title for title, _, _ in _MEASURES.values()]
    header = ["method", "seed", *titles, "ms/step", "x cross-entropy"]
    return f"{text_table(header, rows)}\n{_LEGEND.format(against=TEST_LABELS[test_labels])}"


def warnings(results: Sequence[dict[str, Any]]) -> list[str]:
    """A sentence for each method and verdict on its weights, with the seeds that it holds for."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for result in results:
        if result.get("weight_verdict") is not None:
            groups.setdefault((result["method"], result["weight_verdict"]), []).append(result)
    return [_warning(method, verdict, group) for (method, verdict), group in groups.items()]


def _warning(method: str, verdict: str, results: Sequence[dict[str, Any]]) -> str:
    seeds = ", ".join(str(result["seed"]) for result in results)
    lost = [name for result in results for name in result.get("given_up_classes") or ()]
    return f"warning: {method}, seed {seeds}: {advice(verdict, dict.fromkeys(lost))}"


def write_accuracy_figure(folder: Folder, title: str, runs: Sequence[Run]) -> Path:
    """Writes test_accuracy.png, the test accuracy of every method over epochs, to `folder`."""
    curves: dict[str, list[np.ndarray]] = {}
    for run in runs:
        curves.setdefault(run.method, []).append(run.metrics()["test_accuracy"])
    with folder.replacing("test_accuracy.png") as path:
        path.write_bytes(figures.png(figures.accuracy_curves(curves, title)))
    return folder / "test_accuracy.png"


def _row(seed: str, group: Sequence[dict[str, Any]], baseline: float | None) -> list[str]:
    """The cells of one or several results of a method; several have means and deviations."""
    cells = [group[0]["method"], seed]
    for key, (_, scale, digits) in _MEASURES.items():
        known = [scale * result[key] for result in group if result.get(key) is not None]
        cells.append(mean_and_deviation(known, digits))
    seconds = float(np.median([result["seconds_per_step"] for result in group]))
    return [*cells, number(1000 * seconds), number(baseline and seconds / baseline, ".2f")]
