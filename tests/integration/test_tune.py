"""`python -m launch.tune` as a user meets it."""

import csv
import json
import os
import time

import pytest
from absl import flags
from absl.testing import flagsaver

from tests.integration.cluster import Process, end_all, free_ports
from tests.integration.commands import SHORT, launch
from tf_mwn.launch import tune
from tf_mwn.launch.command_line import parse

SWEEP = (*SHORT, "--method=gce", "--space=gce_q=0.7,learning_rate=0.1|1e9", "--trial_seeds=0,1")


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A sweep of one good and one impossible learning rate; its folder and what it printed."""
    workdir = tmp_path_factory.mktemp("sweeps")
    done = launch(*SWEEP, f"--workdir={workdir}", module="launch.tune")
    assert done.returncode == 0, done.stderr
    (folder,) = workdir.glob("*/tune-gce-*")
    return folder, done


def chosen(folder):
    return json.loads((folder / "summary.json").read_text())["chosen"]


def test_the_summary_states_choice_test_accuracy_and_budget(swept):
    folder, done = swept
    assert done.stderr == ""
    best = chosen(folder)
    last = [100 * value for value in best["last_epoch_accuracy"]]
    for text in (
        "chosen      gce_q = 0.7, learning_rate = 0.1",
        f"last epoch {sum(last) / 2:.1f} ± ",
        "failed      trial 1: gce: loss became ",
        "2 trials (1 failed), seeds 0,1: 6 epochs",
        "= 2.0 plain trainings",
        f"tensorboard --logdir {folder}",
    ):
        assert text in done.stdout, text


def test_a_chief_and_a_worker_that_was_killed_find_what_one_process_finds(swept, tmp_path):
    (port,) = free_ports(1)
    cluster = {"KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": str(port)}

    def started(name):
        variables = {**cluster, "KERASTUNER_TUNER_ID": name}
        return Process("launch.tune", (*SWEEP, f"--workdir={tmp_path}"), variables)

    chief, worker = started("chief"), started("worker")
    trials = "*/tune-gce-*/trial-*/gce/seed0/checkpoint.npz"
    while not list(tmp_path.glob(trials)) and worker.is_alive():
        time.sleep(0.05)
    worker.kill()
    codes, outputs = end_all([chief, worker, started("worker")])
    assert codes == [0, -9, 0], outputs
    (folder,) = tmp_path.glob("*/tune-gce-*")
    for name in ("summary.json", "trials.csv"):
        assert (folder / name).read_text() == (swept[0] / name).read_text()


def test_a_trial_is_the_plain_run_with_its_values(swept, tmp_path):
    folder, _ = swept
    best = chosen(folder)
    runs = folder / best["folder"] / "gce"
    # flags.txt has the values; the seed after it counts.
    flagfile = f"--flagfile={runs / 'seed0' / 'flags.txt'}"
    done = launch(flagfile, "--seed=0,1", f"--workdir={tmp_path}")
    assert done.returncode == 0, done.stderr
    for i, seed in enumerate(("seed0", "seed1")):
        (path,) = tmp_path.glob(f"*/gce/{seed}/results.json")
        plain, trial = (json.loads(p.read_text()) for p in (path, runs / seed / "results.json"))
        for results in (plain, trial):
            del results["seconds_per_step"]
        assert plain == trial
        assert plain["last_epoch_accuracy"] == best["last_epoch_accuracy"][i]
        with open(path.parent / "metrics.csv", newline="") as file:
            last = list(csv.DictReader(file))[-1]
        assert float(last["meta_accuracy"]) == best["objective"][i]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "method: expected one, received none"),
        (["--method=gce,sce"], "method: expected one, received gce, sce"),
        (["--method=gcee"], "did you mean 'gce'"),
        (["--method=gce", "--space=gce_p=0.1"], "did you mean 'gce_q'"),
        (["--method=gce", "--space=gce_q=0.1|2"], "gce_q: expected a value in (0, 1]"),
        (["--method=gce", "--search=brid"], "search=brid: value should be one of"),
        (["--method=gce", "--max_trials=0"], "max_trials=0: 0 is not a positive integer"),
        (["--method=gce", "--trial_seeds=0,x"], "trial_seeds: expected integers"),
        (["--method=gce", "--trial_seeds=0,0"], "trial_seeds: expected each once"),
        (["--method=gce", "--seed=0,1"], "the runs of a trial have --trial_seeds"),
        (["--method=meta_weight_net"], "pass --objective=validation --validation_size=N"),
        (["--method=gce", "--objective=test"], "objective=test: value should be one of"),
    ],
)
def test_mistakes_are_one_line(capsys, monkeypatch, tmp_path, arguments, message):
    monkeypatch.chdir(tmp_path)
    with flagsaver.flagsaver(), pytest.raises(SystemExit) as stopped:
        tune.main(parse(["tf_mwn.launch.tune", "--nodeterministic", *arguments]))
    flags.FLAGS.unparse_flags()
    assert stopped.value.code == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith("error: ") and message in error, error
    assert not os.path.exists("runs")
