"""The last phase of a run, on the clean meta set."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_mwn.methods import registry
from tf_mwn.recipes.experiment import resolve
from tf_mwn.runs import last_phase, train
from tf_mwn.runs.finished_run import FinishedRun
from tf_mwn.runs.session import Session
from tf_mwn.runs.streams import meta_parts

SETTINGS = {"network": "mlp", "epochs": 2, "train_size": 250, "batch_size": 50}


def session_of(workdir, method="fine_tuning", **settings):
    experiment = resolve("quickstart", {**SETTINGS, **settings}, [method], (0,))
    return Session.prepare(experiment, tf.distribute.get_strategy(), str(workdir))


def trained(session):
    (run,) = session.runs()
    results = train.train(run, session.data(0), session.strategy)
    return run, {name: value for name, value in results.items() if name != "seconds_per_step"}


def test_results_of_before_and_after_and_a_killed_phase_is_repeated(tmp_path, monkeypatch):
    session = session_of(tmp_path / "whole")
    run, results = trained(session)
    accuracies = run.metrics()["test_accuracy"]
    assert len(accuracies) == 2 + 5 == results["epochs"]
    assert results["accuracy_before_fine_tuning"] == accuracies[1]
    assert results["last_epoch_accuracy"] == accuracies[-1] > accuracies[1]
    assert 1 <= results["fine_tuning_kept"] <= 5 and results["held_back"] == 20
    # The exported classifier is the one that was kept.
    finished = FinishedRun.load(run.path)
    logits = finished.logits(finished.data.test)
    assert np.mean(logits.argmax(axis=1) == finished.data.test.label) == accuracies[-1]

    other, end = session_of(tmp_path / "killed"), last_phase._Record.on_epoch_end

    def killed(self, epoch, logs=None):
        end(self, epoch, logs)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(last_phase._Record, "on_epoch_end", killed)
        trained(other)
    again, repeated = trained(other)
    assert repeated == results
    assert (again.folder / "weights.csv").read_text() == (run.folder / "weights.csv").read_text()
    weights = [
        keras.models.load_model(r.folder / "classifier.keras").get_weights() for r in (run, again)
    ]
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_without_such_a_phase_its_results_are_none(tmp_path):
    run, results = trained(session_of(tmp_path, "cross_entropy"))
    assert len(run.metrics()["test_accuracy"]) == 2
    for name in ("accuracy_before_fine_tuning", "fine_tuning_kept", "held_back"):
        assert results[name] is None


@pytest.mark.parametrize(
    ("method", "settings", "step", "last", "unseen"),
    [
        ("meta_weight_net", {}, 100, 100, 100),
        ("meta_weight_net", {"fine_tuning_epochs": 1}, 100, 80, 20),
        ("fine_tuning", {"held_back": 0.5}, 100, 50, 50),
        ("clean_added", {}, 80, 80, 20),
        ("clean_only", {}, 100, 100, None),
    ],
)
def test_the_parts_of_the_meta_set(tmp_path, method, settings, step, last, unseen):
    session = session_of(tmp_path, method, **settings)
    config, data = session.experiment.config, session.data(0)
    parts = meta_parts(config, registry.find(method), data, 0)
    assert (len(parts.step), len(parts.last_phase)) == (step, last)
    assert (None if parts.unseen is None else len(parts.unseen)) == unseen
    if unseen not in (None, 100):
        assert not set(parts.last_phase.sample_id) & set(parts.unseen.sample_id)
