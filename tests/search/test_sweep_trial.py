"""Trials: the epoch that decides, failures, and trials that go on where they stopped."""

import csv
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from tests.search.tiny_sweeps import constant, execute, plan
from tf_mwn.monitoring.callbacks import NonFiniteLossError
from tf_mwn.runs.session import Session
from tf_mwn.search import sweep_trial
from tf_mwn.search.sweep_trial import Rung


@pytest.mark.parametrize(("epoch", "chosen", "at"), [("last", 0.3, 2), ("best", 0.1, 1)])
def test_the_epoch_that_decides(training, tmp_path, epoch, chosen, at):
    training(lambda config, seed: [0.9, 0.2] if config.gce_q == 0.1 else [0.3, 0.4])
    best = execute(plan("gce_q=0.1|0.3", epoch=epoch), tmp_path)[0]["chosen"]
    assert best["values"] == {"gce_q": chosen} and best["objective_epoch"] == [at]
    # Test accuracy is 1 - objective here: at that epoch, at the last, and the largest.
    objective = best["objective"][0]
    assert best["objective_epoch_accuracy"] == [pytest.approx(1 - objective)]
    assert best["last_epoch_accuracy"] == [pytest.approx(0.8 if chosen == 0.1 else 0.6)]
    assert best["best_epoch_accuracy"] == [pytest.approx(0.8 if chosen == 0.1 else 0.7)]


def test_a_failed_trial_is_reported_and_the_others_go_on(training, tmp_path, capsys):
    def curve(config, seed):
        if config.gce_q in (0.1, 0.3, 0.5, 0.7) and seed == 1:  # more than Keras Tuner puts up with
            raise NonFiniteLossError("loss became nan")
        return [1.0, 1.0] if seed == 0 and config.gce_q < 0.9 else [0.2, 0.2]

    training(curve)
    summary, folder = execute(plan(seeds=(0, 1)), tmp_path)
    assert [failure["values"]["gce_q"] for failure in summary["failed"]] == [0.1, 0.3, 0.5, 0.7]
    assert summary["chosen"]["values"] == {"gce_q": 0.9}
    assert summary["trials"] == 5
    assert summary["epochs_trained"] == 4 * 2 + 2 * 2  # what the failed ones cost is counted
    shown = capsys.readouterr().out
    assert shown.count("failed      trial") == 4 and "loss became nan" in shown
    with open(folder / "trials.csv", newline="") as file:
        assert [row["objective"] for row in csv.DictReader(file)] == [""] * 8 + ["0.2"] * 2


def test_values_that_exclude_each_other_fail_in_their_trial(tmp_path):
    space = ["bi_tempered_t1=0.9", "bi_tempered_t2=0.5|1.2"]
    settings = {"epochs": 1, "train_size": 100}
    summary, _ = execute(plan(*space, method="bi_tempered", settings=settings), tmp_path)
    (failure,) = summary["failed"]
    assert failure["values"]["bi_tempered_t2"] == 0.5 and "t2" in failure["problem"]
    assert summary["chosen"]["values"]["bi_tempered_t2"] == 1.2


def test_a_batch_larger_than_the_training_set_fails_in_its_trial(training, tmp_path):
    training(lambda config, seed: [0.5, 0.5])
    summary, _ = execute(plan("batch_size=50|500"), tmp_path)
    (failure,) = summary["failed"]
    assert "batch_size: expected at most the 300 training images" in failure["problem"]


def test_a_full_disk_is_not_a_failed_trial(training, tmp_path):
    def curve(config, seed):
        raise OSError("No space left on device")

    training(curve)
    with pytest.raises(OSError, match="No space left"):
        execute(plan(), tmp_path)
    assert not list(pathlib.Path(tmp_path).rglob("outcome.json"))


def test_an_unfinished_trial_keeps_the_seeds_that_have_ended(training, tmp_path):
    curves = training(constant)
    whole, folder = execute(plan("gce_q=0.1|0.3", seeds=(0, 1)), tmp_path)
    lost = folder / whole["chosen"]["folder"]
    (lost / "outcome.json").unlink()
    (lost / "gce/seed1/results.json").unlink()
    curves.trained.clear()
    assert execute(plan("gce_q=0.1|0.3", seeds=(0, 1)), tmp_path)[0] == whole
    assert [(config.gce_q, seed) for config, seed in curves.trained] == [(0.3, 1)]


def test_a_continued_rung_is_the_training_of_its_length(tmp_path):
    chosen = plan("gce_q=0.7", settings={"train_size": 100}, search="random")
    session = Session.prepare(chosen.experiment, tf.distribute.get_strategy(), str(tmp_path))
    continued, anew = (sweep_trial.Trials(chosen, session, tmp_path / name) for name in "ab")
    continued.train(0, {"gce_q": 0.7}, Rung(1))
    one = continued.train(1, {"gce_q": 0.7}, Rung(2, lower=1))
    other = anew.train(1, {"gce_q": 0.7}, Rung(2))
    assert (one["epochs_trained"], other["epochs_trained"]) == (1, 2)
    for key in ("epochs", "objective", "last_epoch_accuracy", "best_epoch_accuracy"):
        assert one[key] == other[key]
    state = f"{one['folder']}/gce/seed0/checkpoint.npz"
    with np.load(tmp_path / "a" / state) as a, np.load(tmp_path / "b" / state) as b:
        states = [name for name in a.files if name.startswith("v")]  # the history holds times
        assert len(states) > 4
        for name in states:
            np.testing.assert_array_equal(a[name], b[name])
