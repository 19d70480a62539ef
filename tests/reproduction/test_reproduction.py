"""Reproductions: the runs they share, the ones that are missing, and what is refused."""

import dataclasses

import pytest

from tests.reproduction.planned_fixtures import write_run
from tf_mwn.reproduction.planned_runs import PlannedRun
from tf_mwn.reproduction.reproduction import Reproduction
from tf_mwn.reproduction.tables import TABLES


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


def test_a_budget_takes_the_runs_in_the_order_of_the_table(tmp_path):
    (tmp_path / "random1.npy").touch()
    lists = {"label_file": str(tmp_path)}
    plan = Reproduction.make(str(tmp_path), ["controls"], seeds=(0, 1), common=lists)
    chosen = plan.fitting(1000)
    labels = [run.method for run in chosen[:11]]
    assert labels[:3] == ["posthoc_logit_adjustment", "meta_weight_net", "robust"]
    assert labels[6:] == ["cross_entropy", "robust", "cross_entropy", "robust", "meta_weight_net"]
    assert chosen[8].experiment.config.label_file == str(tmp_path / "random1.npy")
    assert [run.seed for run in chosen] == [0] * len(chosen[::2]) + [1] * len(chosen[::2])


def test_a_folder_of_other_settings_is_refused(tmp_path):
    plan = Reproduction.make(str(tmp_path), [], ["i"], None, (0,))
    (run,) = plan.runs
    longer = dataclasses.replace(run.experiment.config, epochs=7)
    other = PlannedRun(dataclasses.replace(run.experiment, config=longer))
    write_run(tmp_path, other)
    with pytest.raises(ValueError, match="holds a run of other settings"):
        plan.missing()


def test_methods_columns_and_a_budget_of_hours_choose_the_runs(tmp_path):
    plan = Reproduction.make(
        *(str(tmp_path), ["1"], [], "paper", (0, 1)),
        only=["meta_weight_net", "cross_entropy"],
        columns=["cifar10_longtail_100", "cifar10_longtail_200"],
    )
    assert {run.method for run in plan.runs} == {"cross_entropy", "meta_weight_net"}
    assert len(plan.runs) == 8
    hours = sum(plan._seconds(plan.runs)) / 3600
    chosen = plan.fitting(hours + 0.01)
    assert [run.seed for run in chosen] == [0] * 4 + [1] * 4
    assert [run.method for run in chosen[:2]] == ["cross_entropy", "meta_weight_net"]
    assert plan.fitting(0) == []
    # The first that does not fit leaves room for a shorter one.
    short, long = (plan._seconds([run])[0] / 3600 for run in chosen[:2])
    fits = plan.fitting(2 * short + 0.01)
    assert short < long and [run.method for run in fits] == ["cross_entropy"] * 2


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
        ({"robust": True, "common": {"optimizer": "adam"}}, "optimizer: .* no effect on any"),
        ({"robust": True, "seeds": (7,)}, "seed: expected --table or --claims with it"),
        ({"robust": True, "scale": "cpu"}, "scale: expected --table or --claims with it"),
        ({"tables": ["1"], "only": ["gce"]}, "only: expected one of .*received 'gce'"),
        (
            {"tables": ["1"], "columns": ["cifar10"]},
            "columns: expected one of .*received 'cifar10'",
        ),
        ({"claims": ["a"], "only": ["gce"]}, "only: expected --table with it"),
        ({"tables": ["clothing1m"]}, "expected --dataset=FOLDER"),
        ({"tables": ["cifar_n"]}, "label_file: expected the folder of the lists"),
        (
            {"tables": ["1"], "common": {"label_file": "a.npy"}},
            "label_file: expected a list of labels that",
        ),
        (
            {"robust": True, "common": {"label_file": "worse.npy"}},
            "label_file: .* received worse.npy",
        ),
        (
            {"tables": ["3"], "scale": "cpu", "columns": ["fashion_flip2_40"]},
            "data_dir: expected --data_dir or --download for fashion_flip2_40, received none",
        ),
        (
            {"tables": ["2"], "only": ["s_model"], "columns": ["cifar10_uniform_60"]},
            "columns: expected a column of table 2 that has a row of s_model, received cifar10_un",
        ),
        (
            {"tables": ["controls"], "only": ["elr"], "columns": ["cifar10n_random1"]},
            "label_file: expected the folder of the lists .* of table controls needs",
        ),
    ],
)
def test_mistakes(arguments, message):
    with pytest.raises(ValueError, match=message):
        Reproduction.make("runs", **arguments)


def test_a_setting_is_used_if_the_runs_are_others_without_it(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for part in ("annotations", "images"):
        (tmp_path / "clothing" / part).mkdir(parents=True)
    plan = Reproduction.make(
        str(tmp_path), ["clothing1m"], seeds=(0,), common={"dataset": "~/clothing"}
    )
    assert all(r.experiment.config.dataset == str(tmp_path / "clothing") for r in plan.runs)
    Reproduction.make(str(tmp_path), ["3"], [], "cpu", (0,), common={"batch_size": 100})


def test_all_tables_are_those_that_can_be_repeated(tmp_path):
    small = Reproduction.make(str(tmp_path), ["all"], scale="cpu", seeds=(0,))
    assert list(small.tables) == ["1", "2", "3", "ablation", "arl"]
    paper = Reproduction.make(str(tmp_path), ["all"], seeds=(0,), with_sets=True)
    assert set(paper.tables) == set(TABLES) - {"clothing1m"}


def test_a_started_run_fits_into_the_time_that_it_still_needs(tmp_path):
    only = {"only": ["meta_weight_net"], "columns": ["cifar10_longtail_100"]}
    plan = Reproduction.make(str(tmp_path), ["1"], seeds=(0,), **only)
    assert plan.fitting(1) == []
    run = plan.runs[0].run(tmp_path)
    run.claim("data")
    epochs = run.config.epochs - 1
    run.write_metrics([{"epoch": e + 1, "test_accuracy": 0.5} for e in range(epochs)])
    assert plan.fitting(1) == plan.runs
