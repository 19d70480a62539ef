"""`python -m launch.reproduce`: its flags, the commands it makes, and one claim trained."""

import json
import sys

import pytest
from absl import flags
from absl.testing import flagsaver

from tests.launch.finished_runs import call, mistake
from tests.reproduction.planned_fixtures import write_run
from tf_mwn.launch import flags as launch_flags
from tf_mwn.launch.command_line import parse
from tf_mwn.launch.reproduce import main
from tf_mwn.reproduction import claims_list, run_queue, tables
from tf_mwn.reproduction.planned_runs import PlannedStudy, each_once
from tf_mwn.search.study_plan import StudyPlan


def some_runs():
    """A seed of everything that claims need, and of a part of the cells of every table."""
    runs = []
    for claim in claims_list.claims(with_fashion=True).values():
        runs += claim.runs(claim.context("runs", (3,)))
    for table in ("1", "2", "3", "ablation", "arl"):
        for scale in tables.SCALES:
            cells = tables.cells(table, scale, [3])
            runs += [run for cell in cells[::7] for run in cell.runs]
    return each_once(runs)


def test_commands_parse_to_the_runs_they_are_for():
    for run in some_runs():
        with flagsaver.flagsaver():
            parse(run.command())
            if isinstance(run, PlannedStudy):
                plan = StudyPlan.make(
                    launch_flags.RECIPE.value,
                    launch_flags.overrides(),
                    *launch_flags.METHOD.value,
                    launch_flags.integers("seed", launch_flags.SEED.value),
                )
                assert plan.folder == run.name
            else:
                assert launch_flags.experiment() == run.experiment
    flags.FLAGS.unparse_flags()


def test_lists(capsys, tmp_path):
    call(main, "--table=list")
    assert "ablation: architecture of the weight net" in capsys.readouterr().out
    call(main, "--claims=list")
    assert "a: Under label noise Meta-Weight-Net beats" in capsys.readouterr().out
    for flag in ("--list", "--dry_run"):
        call(main, "--claims=d", flag, "--seeds=0", f"--workdir={tmp_path}")
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == "missing   quickstart/meta_weight_net/seed0"
        assert lines[2].startswith("2 runs: 2 missing; about")
    assert not list(tmp_path.iterdir())


def test_the_bare_flag_means_all_claims(capsys, tmp_path):
    call(main, "--claims", "--list", f"--workdir={tmp_path}")
    printed = capsys.readouterr().out
    assert "study-adaptive_gce" in printed and "mae/seed9" in printed
    assert "expected --table=NAME, --claims or --robust" in mistake(capsys, main, "--noclaims")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--claims=a,q"], "claim: expected one of"),
        (["--table=7"], "table: expected one of"),
        (["--claims", "--scale=paper"], "scale: expected cpu"),
        (["--table=3", "--recipe=quickstart"], "recipe: expected no such flag"),
        (["--table=3", "--method=gce"], "method: expected no such flag"),
        (["--table=3", "--seeds=x"], "seed: expected integers"),
        (["--table=3", "--jobs=0"], "--jobs=0"),
        (["--table=3", "--epochs=0"], "epochs: expected a value in [1, inf)"),
        (["--claims=i", "--gce_q=0.5"], "gce_q: expected a setting that a run reads"),
    ],
)
def test_mistakes_are_one_line(capsys, arguments, message):
    assert message in mistake(capsys, main, *arguments)


def test_a_claim_on_finished_runs_trains_nothing(capsys, tmp_path, monkeypatch):
    claim = claims_list.claims()["d"]
    for run in claim.runs(claim.context(tmp_path, (0, 1))):
        write_run(tmp_path, run, noise_auc=0.9 + run.seed / 1000)
    monkeypatch.setattr(run_queue, "command", None)
    call(main, "--claims=d", "--seeds=0,1", f"--workdir={tmp_path}")
    printed = capsys.readouterr().out
    assert "4 runs: 4 finished" in printed and "| 0,1 | **holds** |" in printed
    (written,) = json.loads((tmp_path / "claims/claims.json").read_text())
    assert written["verdict"] == "holds"


def test_a_failed_run_is_one_line_and_exit_code_2(capsys, tmp_path, monkeypatch):
    child = "import sys; sys.exit('error: train_size: expected less')"
    monkeypatch.setattr(run_queue, "command", lambda *_: [sys.executable, "-c", child])
    with pytest.raises(SystemExit) as stopped:
        call(main, "--claims=i", "--seeds=0", f"--workdir={tmp_path}")
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: 1 of 1 runs failed: quickstart-") and error.count("\n") == 1
    assert "error: train_size: expected less" in error
    assert "**not run**" in (tmp_path / "claims/claims.md").read_text()
