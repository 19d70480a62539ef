"""Reproductions: the runs they share, the ones that are missing, and what is refused."""

import dataclasses

import pytest

from tests.reproduction.planned_fixtures import write_run
from tf_mwn.reproduction.planned_runs import PlannedRun
from tf_mwn.reproduction.reproduction import Reproduction


def test_runs_are_shared_and_missing_ones_found(tmp_path):
    plan = Reproduction.make(str(tmp_path), ["3"], ["a"], "cpu", (0,))
    names = [run.name for run in plan.runs]
    assert len(set(names)) == len(names)
    alone = Reproduction.make(str(tmp_path), ["3"], [], "cpu", (0,))
    # The quick start's cross-entropy, focal, L2RW and Meta-Weight-Net are in both.
    assert len(plan.runs) == len(alone.runs) + 4
    write_run(tmp_path, plan.runs[0])
    assert [run.name for run in plan.missing()] == names[1:]
    assert plan.listing().splitlines()[0] == f"finished  {names[0]}"
    assert plan.estimate().startswith(f"{len(names)} runs: 1 finished, {len(names) - 1} missing; ")


def test_a_folder_of_other_settings_is_refused(tmp_path):
    plan = Reproduction.make(str(tmp_path), [], ["i"], None, (0,))
    (run,) = plan.runs
    longer = dataclasses.replace(run.experiment.config, epochs=7)
    other = PlannedRun(dataclasses.replace(run.experiment, config=longer))
    write_run(tmp_path, other)
    with pytest.raises(ValueError, match="holds a run of other settings"):
        plan.missing()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "expected --table=NAME, --claims or --robust"),
        ({"tables": ["4"]}, "table: expected one of 1, 2, 3.*received '4'"),
        ({"claims": ["a"], "scale": "paper"}, "scale: expected cpu with --claims"),
        (
            {"tables": ["3"], "seeds": (0, 0)},
            "seeds: expected at least one and each once, received 0,0",
        ),
        ({"claims": ["i"], "common": {"meta_interval": 2}}, "no effect on any"),
        ({"tables": ["3"], "common": {"noise_rate": 0.1}}, "no effect on any"),
        ({"tables": ["clothing1m"]}, "expected --dataset=FOLDER"),
    ],
)
def test_mistakes(arguments, message):
    with pytest.raises(ValueError, match=message):
        Reproduction.make("runs", **arguments)
