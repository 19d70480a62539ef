"""Finished runs written by hand: what a comparison finds in a workdir."""

import json
from pathlib import Path

from tf_mwn.reproduction.planned_runs import PlannedRun


def write_run(workdir: Path, run: PlannedRun, accuracy=0.5, columns=None, weights=None, **results):
    """The files of a finished run that reached `accuracy` at the end and 0.1 more at its best."""
    folder = workdir / run.name
    folder.mkdir(parents=True)
    identity = {"settings": run.experiment.config.to_json(), "seed": run.seed}
    (folder / "config.json").write_text(json.dumps(identity))
    content = {
        "recipe": run.experiment.recipe.name,
        "method": run.method,
        "seed": run.seed,
        "last_epoch_accuracy": accuracy,
        "best_epoch_accuracy": accuracy + 0.1,
        "memorised": None,
        "noise_auc": None,
        "seconds_per_step": 0.01,
        "epochs": 3,
        "version": "0.9",
        **results,
    }
    (folder / "results.json").write_text(json.dumps(content))
    for name, table in (("metrics.csv", columns), ("weights.csv", weights)):
        if table is not None:
            rows = [list(table), *zip(*table.values(), strict=True)]
            lines = [",".join(map(str, row)) for row in rows]
            (folder / name).write_text("\n".join(lines) + "\n")
    return folder


def quickstart(method="cross_entropy", seed=0, **settings):
    return PlannedRun.make("quickstart", settings, method, seed)
