"""One method against others on many biases: the paired differences, with their intervals."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tf_mwn.files import Folder
from tf_mwn.reproduction.biases import ABLATION_SEEDS, METHOD, OTHERS, PARTS, biases
from tf_mwn.reproduction.intervals import mean_interval
from tf_mwn.reproduction.planned_runs import PlannedRun, commands, each_once, made_by, versions
from tf_mwn.tables import markdown_table

# A difference is a miss if its whole interval is below this, in points of balanced accuracy.
MARGIN = -1.0


def planned(with_sets: bool, label_file: str | None = None) -> list[PlannedRun]:
    """Every run of the comparison.

    Args:
        with_sets: whether the data of TensorFlow Datasets are available. If not, the runs are those
            of the bundled data alone.
        label_file: see `biases`.
    """
    known = [bias for bias in biases(label_file) if with_sets or not bias.needs_set]
    parts = [run for bias in known if not bias.needs_set for p in PARTS for run in bias.without(p)]
    return each_once([*(run for bias in known for run in bias.runs()), *parts])


def write(workdir: str | Path, label_file: str | None = None) -> Path:
    """Writes comparison_robust.md and planted_auc.png to `workdir`, from the finished runs."""
    folder = Folder(Path(workdir))
    folder.write_text("comparison_robust.md", text(workdir, label_file))
    points = planted_and_true(workdir, label_file)
    if points:
        from tf_mwn.monitoring import figures  # imported here: slow

        with folder.replacing("planted_auc.png") as path:
            path.write_bytes(figures.png(figures.planted_scatter(points)))
    return folder / "comparison_robust.md"


def planted_and_true(
    workdir: str | Path, label_file: str | None = None
) -> dict[str, list[tuple[float, float]]]:
    """(planted, true) AUC of the finished runs that used their weights and have both, by method."""
    from tf_mwn.monitoring.health import OFF  # imported here: slow

    points: dict[str, list[tuple[float, float]]] = {}
    for bias in biases(label_file):
        for run in bias.runs():
            results = run.results(workdir) or {}
            pair = results.get("planted_auc"), results.get("noise_auc")
            if None not in pair and results.get("weight_verdict") != OFF:
                points.setdefault(run.method, []).append(pair)
    return points


def text(workdir: str | Path, label_file: str | None = None) -> str:
    """The comparison in Markdown: a summary, then every seed of every bias, then the commands."""
    needed = planned(with_sets=True, label_file=label_file)
    finished = [run for run in needed if run.results(workdir) is not None]
    found = [(bias, _results(bias.runs(), workdir)) for bias in biases(label_file)]
    found = [(bias, results) for bias, results in found if results]
    header = ["balanced accuracy, robust minus", *OTHERS, "noise AUC of robust"]
    summary = [[bias.condition.title, *_differences(r), _aucs(r)] for bias, r in found]
    parts = [
        "# robust against other methods",
        "Mean over seeds of the paired difference, in points, with its 95 % interval (Student). "
        f"**Bold**: a miss, the whole interval is below {MARGIN:g}.",
        markdown_table(header, summary),
        f"## Without a part\n\n{_ablation(workdir)}",
        *(f"## {bias.condition.title}\n\n{_every_seed(r)}" for bias, r in found),
    ]
    listed = "\n".join(commands(finished))
    parts += [f"## Commands\n\n```sh\n{listed}\n```", *made_by(versions(finished, workdir))]
    return "\n\n".join(parts) + "\n"


Results = Mapping[str, Mapping[int, Mapping[str, Any]]]  # of a bias, by method and seed


def _results(
    runs: Sequence[PlannedRun], workdir: str | Path
) -> dict[str, dict[int, dict[str, Any]]]:
    found: dict[str, dict[int, dict[str, Any]]] = {}
    for run in runs:
        results = run.results(workdir)
        if results is not None:
            found.setdefault(run.method, {})[run.seed] = results
    return found


def _ablation(workdir: str | Path) -> str:
    """Mean balanced accuracy, and the AUC of the weights, of robust without each of its parts."""
    rows = []
    for bias in biases():
        found = [] if bias.needs_set else [_of_seeds(bias.without(p), workdir) for p in PARTS]
        if any(found):
            # A mean of other seeds would be no comparison.
            seeds = set.intersection(*(set(by_seed) for by_seed in found if by_seed))
            few = f" (n = {len(seeds)})" if len(seeds) < ABLATION_SEEDS else ""
            cells = [
                _mean([r for seed, r in by_seed.items() if seed in seeds]) for by_seed in found
            ]
            rows.append([bias.condition.title + few, *cells])
    legend = (
        f"Balanced accuracy and noise AUC, means over {ABLATION_SEEDS} seeds; (n = ...): over the "
        "fewer seeds that have finished in every column of the row."
    )
    return f"{legend}\n\n{markdown_table(['bias, without', *PARTS], rows)}"


def _of_seeds(runs: Sequence[PlannedRun], workdir: str | Path) -> dict[int, dict[str, Any]]:
    """The results of the finished runs of one configuration, by seed."""
    found = {run.seed: run.results(workdir) for run in runs}
    return {seed: results for seed, results in found.items() if results is not None}


def _mean(results: Sequence[Mapping[str, Any]]) -> str:
    if not results:
        return ""
    aucs = [result["noise_auc"] for result in results if result["noise_auc"] is not None]
    shown = f"{np.mean([_accuracy(result) for result in results]):.1f}"
    return f"{shown} / {np.mean(aucs):.2f}" if aucs else shown


def _accuracy(results: Mapping[str, Any]) -> float:
    return 100 * results["last_epoch_balanced_accuracy"]


def _differences(results: Results) -> list[str]:
    own = results.get(METHOD, {})
    return [_difference(own, results.get(other, {})) for other in OTHERS]


def _difference(own: Mapping[int, Mapping], other: Mapping[int, Mapping]) -> str:
    seeds = sorted(own.keys() & other.keys())
    if not seeds:
        return ""
    interval = mean_interval([_accuracy(own[s]) - _accuracy(other[s]) for s in seeds])
    if len(seeds) < 2:
        return f"{interval.estimate:+.1f}"
    shown = f"{interval.estimate:+.1f} [{interval.low:+.1f}, {interval.high:+.1f}]"
    return f"**{shown}**" if interval.high < MARGIN else shown


def _aucs(results: Results) -> str:
    values = [r["noise_auc"] for r in results.get(METHOD, {}).values()]
    return " ".join(f"{value:.2f}" for value in values if value is not None)


def _every_seed(results: Results) -> str:
    header = ["method", "balanced accuracy of each seed", "mean", "plain", "noise AUC"]
    header.append("step, in plain steps")
    plain = [r["seconds_per_step"] for r in results.get("cross_entropy", {}).values()]
    rows = []
    for method, by_seed in results.items():
        ordered = [by_seed[seed] for seed in sorted(by_seed)]
        accuracies = [_accuracy(r) for r in ordered]
        aucs = [r["noise_auc"] for r in ordered if r["noise_auc"] is not None]
        ratio = np.median([r["seconds_per_step"] for r in ordered])
        ratio = ratio / np.median(plain) if plain else None
        rows.append(
            [
                method,
                " ".join(f"{value:.1f}" for value in accuracies),
                f"{np.mean(accuracies):.1f}",
                f"{np.mean([100 * r['last_epoch_accuracy'] for r in ordered]):.1f}",
                " ".join(f"{value:.2f}" for value in aucs),
                "" if ratio is None else f"{ratio:.2f}",
            ]
        )
    return markdown_table(header, rows)
