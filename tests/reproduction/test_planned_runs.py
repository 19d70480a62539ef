"""Planned runs: their states and their commands."""

import json

from tests.reproduction.planned_fixtures import quickstart, write_run
from tf_mwn.reproduction import planned_runs
from tf_mwn.runs.run import FINISHED, MISSING, OTHER, STARTED
from tf_mwn.search.study_plan import StudyPlan


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


def study(tmp_path, content):
    planned = planned_runs.PlannedStudy(StudyPlan.make("quickstart", {}, "adaptive_gce", [0]))
    (tmp_path / planned.name).mkdir(parents=True)
    (tmp_path / planned.name / "study.json").write_text(json.dumps(content))
    return planned


def test_versions_are_those_of_studies_too(tmp_path):
    rows = [{"name": "learned jointly", "cost": 3.0, "results": []}]
    planned = study(tmp_path, {"version": "0.4.0", "rows": rows})
    assert planned.rows(tmp_path) == {"learned jointly": rows[0]}
    assert planned_runs.versions([planned], tmp_path) == ["0.4.0"]


def test_what_early_versions_wrote_is_of_an_unknown_version(tmp_path):
    planned, run = study(tmp_path, [{"name": "learned jointly"}]), quickstart()
    assert planned.rows(tmp_path) == {"learned jointly": {"name": "learned jointly"}}
    known = planned_runs.versions([planned], tmp_path)
    assert planned_runs.made_by(known) == ["Made by an unknown version of tf_mwn."]
    write_run(tmp_path, run, version="0.3.0")
    known = planned_runs.versions([planned, run], tmp_path)
    page = "Made by tf_mwn 0.3.0, in part by an unknown version of tf_mwn."
    assert planned_runs.made_by(known) == [page]
