"""The results and the cost of a sweep: a table, summary.json and trials.csv."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tf_mwn.files import Folder
from tf_mwn.search.sweep_plan import SweepPlan
from tf_mwn.search.sweep_trial import RECORD
from tf_mwn.tables import mean_and_deviation, text_table

SUMMARY = "summary.json"
_TEST = {
    "last_epoch_accuracy": "last epoch",
    "best_epoch_accuracy": "best epoch",
    "objective_epoch_accuracy": "epoch of the objective",
}
_LEGEND = (
    "accuracies in %, mean ± standard deviation over the seeds of a trial; best epoch is the best\n"
    "on the test set, as papers report it; no test accuracy has a part in the choice"
)


def records(path: Path) -> list[dict[str, Any]]:
    """The records of the trials that have ended in a sweep's folder, in order."""
    found = [Folder(file.parent).read_json(RECORD) for file in path.glob(f"*/{RECORD}")]
    return sorted(found, key=lambda record: (record["trial"], record["epochs"]))


def summarise(plan: SweepPlan, trials: Sequence[dict[str, Any]], plain: int) -> dict[str, Any]:
    """The content of summary.json.

    Args:
        plan: the plan of the sweep.
        trials: the records of its trials.
        plain: forward passes of one plain training of the recipe.
    """
    best = chosen(plan, trials)
    passes = sum(trial["forward_passes"] for trial in trials)
    recipe = plan.experiment.recipe
    return {
        "recipe": recipe.name,
        "changed": plan.experiment.config.differences(recipe.config),
        "method": plan.method,
        **plan.search_settings(),
        "trials": len(trials),
        "failed": [
            {key: trial[key] for key in ("trial", "folder", "values", "problem")}
            for trial in trials
            if trial["status"] == "failed"
        ],
        "epochs_trained": sum(trial["epochs_trained"] for trial in trials),
        "forward_passes": passes,
        "forward_passes_of_a_plain_training": plain,
        "plain_trainings": passes / plain,
        "chosen": best and {key: value for key, value in best.items() if key != "problem"},
    }


def chosen(plan: SweepPlan, trials: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The first trial with the best mean objective, or None if none was completed.

    For Hyperband only trials of full length count. With noisy labels a short training is often
    better, but its accuracy says little about what its values reach in a full one.
    """
    full = plan.experiment.config.epochs
    completed = [
        trial
        for trial in trials
        if trial["status"] == "completed"
        and (plan.search != "hyperband" or trial["epochs"] == full)
    ]
    return max(completed, key=lambda trial: np.mean(trial["objective"]), default=None)


def text(plan: SweepPlan, trials: Sequence[dict[str, Any]], summary: dict[str, Any]) -> str:
    """The table and the summary that are printed at the end."""
    names = [domain.name for domain in plan.space]
    shown = _test_accuracies(plan)
    header = ["trial", *names, "epochs", f"{plan.objective} accuracy"]
    header += [f"test, {title}" for title in shown.values()]
    rows = []
    for trial in trials:
        row = [str(trial["trial"]), *(_short(trial["values"][name]) for name in names)]
        row += [str(trial["epochs"])]
        row += [_percent(trial.get(key)) for key in ("objective", *shown)]
        rows.append(row)
    lines = [text_table(header, rows), _LEGEND, ""]
    for failure in summary["failed"]:
        lines.append(f"failed      trial {failure['trial']}: {failure['problem']}")
    return "\n".join([*lines, *_choice(plan, summary), _budget(plan, summary)])


def write(
    plan: SweepPlan, folder: Folder, trials: Sequence[dict[str, Any]], summary: dict[str, Any]
) -> None:
    """Writes trials.csv, with a row per trial and seed, and summary.json."""
    names = [domain.name for domain in plan.space]
    measures = ["objective", "objective_epoch", *_TEST]
    rows = []
    for trial in trials:
        shared = [trial[key] for key in ("trial", "folder", "status")]
        shared += [*(trial["values"][name] for name in names), trial["epochs"]]
        for i, seed in enumerate(plan.experiment.seeds):
            reached = [trial[key][i] if key in trial else None for key in measures]
            rows.append([*shared, seed, *reached, trial["problem"]])
    header = ["trial", "folder", "status", *names, "epochs", "seed", *measures, "problem"]
    folder.write_csv("trials.csv", header, rows)
    folder.write_json(SUMMARY, summary)


def _choice(plan: SweepPlan, summary: dict[str, Any]) -> list[str]:
    best = summary["chosen"]
    if best is None:
        return ["chosen      nothing: no trial was completed"]
    values = ", ".join(f"{name} = {_short(value)}" for name, value in best["values"].items())
    judge = {"meta": "the meta images", "validation": "the validation images"}[plan.objective]
    reached = ", ".join(
        f"{title} {_percent(best[key])}" for key, title in _test_accuracies(plan).items()
    )
    return [
        f"chosen      {values} (trial {best['trial']}, {best['folder']})",
        f"objective   accuracy on {judge}, {plan.epoch} epoch: {_percent(best['objective'])}",
        f"test        {reached}",
    ]


def _budget(plan: SweepPlan, summary: dict[str, Any]) -> str:
    failed = len(summary["failed"])
    trials = f"{summary['trials']} trials ({failed} failed)"
    seeds = ",".join(map(str, plan.experiment.seeds))
    return (
        f"budget      {trials}, seeds {seeds}: {summary['epochs_trained']} epochs, "
        f"{summary['forward_passes']:.3g} forward passes of one example\n"
        f"            = {summary['plain_trainings']:.1f} plain trainings of "
        f"{summary['forward_passes_of_a_plain_training']:.3g} (forward 1, backward 2 per example)"
    )


def _test_accuracies(plan: SweepPlan) -> dict[str, str]:
    """Titles of the test accuracies to show, by key. None repeats the last epoch."""
    return {
        key: title
        for key, title in _TEST.items()
        if plan.epoch == "best" or key != "objective_epoch_accuracy"
    }


def _percent(values: Sequence[float] | None) -> str:
    return "failed" if values is None else mean_and_deviation([100 * v for v in values])


def _short(value) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)
