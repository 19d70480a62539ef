"""Planned runs: their states and their commands."""

import json

from tests.reproduction.planned_fixtures import quickstart, write_run
from tf_mwn.reproduction import planned_runs
from tf_mwn.runs.run import FINISHED, MISSING, OTHER, STARTED


def test_states(tmp_path):
    run = quickstart(epochs=2)
    assert run.state(tmp_path) == MISSING
    folder = write_run(tmp_path, run)
    assert run.state(tmp_path) == FINISHED
    (folder / "results.json").rename(folder / "kept")
    assert run.state(tmp_path) == STARTED
    identity = json.loads((folder / "config.json").read_text())
    identity["settings"]["learning_rate"] = 0.7
    (folder / "config.json").write_text(json.dumps(identity))
    assert run.state(tmp_path) == OTHER


def test_seeds_of_one_configuration_are_one_command():
    runs = [quickstart("gce", seed, gce_q=0.9) for seed in (0, 1)] + [quickstart()]
    assert planned_runs.commands(runs) == [
        "python -m launch.main --recipe=quickstart --method=gce --gce_q=0.9 --seed=0,1",
        "python -m launch.main --recipe=quickstart --method=cross_entropy --seed=0",
    ]


def test_versions_are_those_of_finished_runs(tmp_path):
    runs = [quickstart("gce", seed) for seed in (0, 1, 2)] + [quickstart()]
    assert planned_runs.made_by(planned_runs.versions(runs, tmp_path)) == []
    for run, version in zip(runs, ("0.2.0", "0.3.0", "0.2.0"), strict=False):
        write_run(tmp_path, run, version=version)
    known = planned_runs.versions(runs, tmp_path)
    assert planned_runs.made_by(known) == ["Made by tf_mwn 0.2.0 and 0.3.0."]
