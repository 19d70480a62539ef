"""The launcher as a user meets it."""

import csv
import json
import pathlib
import re

import numpy as np
import pytest

from tests.integration.commands import SHORT, command, launch, run
from tests.launch.finished_runs import train

# Of the quick start's three methods the third is the second's with more parts.
TWO = (*SHORT, "--method=cross_entropy,meta_weight_net")
FILES = {
    ".lock",
    "config.json",
    "flags.txt",
    "data_card.json",
    "metrics.csv",
    "results.json",
    "weights.csv",
    "checkpoint.npz",
    "classifier.keras",
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A short quick start, run once from a folder that is not the clone."""
    cwd = tmp_path_factory.mktemp("elsewhere")
    done = run(command(*TWO), cwd)
    assert done.returncode == 0, done.stderr
    (experiment,) = (cwd / "runs").iterdir()
    return cwd, experiment, done


def folder(experiment, method) -> pathlib.Path:
    return experiment / method / "seed0"


def test_prints_card_table_and_paths(finished):
    _, experiment, done = finished
    for text in (
        "realised",
        "cross_entropy",
        "meta_weight_net",
        "last epoch",
        "best epoch",
        "noise AUC",
        "tensorboard --logdir",
        experiment.name,
    ):
        assert text in done.stdout
    assert done.stderr == ""


def test_writes_every_file(finished):
    experiment = finished[1]
    plain, robust = folder(experiment, "cross_entropy"), folder(experiment, "meta_weight_net")
    names = {p: {path.name for path in p.iterdir()} for p in (plain, robust)}
    events = {p: {name for name in names[p] if name.startswith("events.")} for p in names}
    assert all(len(files) == 2 for files in events.values())  # the training, and its HParams
    assert names[plain] - events[plain] == FILES
    learned = {"weight_curve.png", "weight_histogram.png", "weight_net.json"}
    assert names[robust] - events[robust] == FILES | learned
    assert (experiment / "test_accuracy.png").read_bytes().startswith(b"\x89PNG")


def test_results_are_the_contract(finished):
    for method in ("cross_entropy", "meta_weight_net"):
        results = json.loads((folder(finished[1], method) / "results.json").read_text())
        assert results["recipe"] == "quickstart" and results["method"] == method
        assert results["seed"] == 0 and results["seconds_per_step"] > 0
        assert 0 < results["last_epoch_accuracy"] <= results["best_epoch_accuracy"] <= 1
        assert (results["noise_auc"] is None) == (method == "cross_entropy")
        assert "accuracy" not in results


def test_weights_csv_holds_every_training_example_once(finished):
    card = json.loads((folder(finished[1], "cross_entropy") / "data_card.json").read_text())
    with open(folder(finished[1], "meta_weight_net") / "weights.csv") as file:
        rows = list(csv.DictReader(file))
    assert len({row["sample_id"] for row in rows}) == len(rows) == card["sizes"]["train"]
    assert all(0 < float(row["weight"]) < 1 and float(row["loss"]) >= 0 for row in rows)
    wrong = np.mean([row["label"] != row["clean_label"] for row in rows])
    assert abs(wrong - card["noise"]["realised_rate"]) < 1e-9


def test_both_methods_share_split_and_initial_weights(finished):
    cards = [
        json.loads((folder(finished[1], method) / "data_card.json").read_text())
        for method in ("cross_entropy", "meta_weight_net")
    ]
    assert cards[0] == cards[1]


def test_the_classifier_loads_without_the_package(finished, tmp_path):
    import subprocess
    import sys

    path = folder(finished[1], "meta_weight_net") / "classifier.keras"
    code = (
        f"import keras, sys; m = keras.saving.load_model({str(path)!r}); print(m.output_shape); "
        "sys.exit('tf_mwn' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0 and "(None, 10)" in done.stdout


def test_events_hold_scalars_the_curve_and_histograms(finished):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder(finished[1], "meta_weight_net")))
    events.Reload()
    tags = events.Tags()["tensors"]
    for tag in (
        "train/loss",
        "train/accuracy",
        "meta/loss",
        "test/accuracy",
        "learning_rate/classifier",
        "learning_rate/meta",
        "weights/mean_correct_labels",
        "weights/mean_wrong_labels",
        "weights/curve",
        "weights/correct_labels",
        "weights/wrong_labels",
        "weights/effective_fraction",
        "mean_weight_of_class/0",
        "test/confusion",
        "test/all/pr_curves",
        "configuration",
    ):
        assert tag in tags, tag
    assert [event.step for event in events.Tensors("weights/curve")] == [1, 2, 3]


def test_the_same_command_reports_and_does_not_train_again(finished):
    cwd, experiment, first = finished
    before = {path: path.stat().st_mtime_ns for path in experiment.rglob("*.npz")}
    again = launch(*TWO, cwd=cwd)
    assert again.returncode == 0
    assert again.stdout.count("already finished") == 2
    assert {path: path.stat().st_mtime_ns for path in experiment.rglob("*.npz")} == before
    table = [line for line in first.stdout.splitlines() if line.startswith("meta_weight_net  ")]
    assert table and all(line in again.stdout for line in table)


def test_flags_txt_repeats_the_run(finished, tmp_path):
    path = folder(finished[1], "meta_weight_net") / "flags.txt"
    done = launch(f"--flagfile={path}", f"--workdir={tmp_path}")
    assert done.returncode == 0, done.stderr
    results = [
        json.loads((where / finished[1].name / "meta_weight_net/seed0/results.json").read_text())
        for where in (finished[1].parent, tmp_path)
    ]
    for result in results:
        del result["seconds_per_step"]
    assert results[0] == results[1]


def test_a_folder_of_another_configuration_is_refused(finished, tmp_path):
    cwd, experiment, _ = finished
    config = folder(experiment, "cross_entropy") / "config.json"
    text = config.read_text()
    config.write_text(text.replace('"momentum": 0.9', '"momentum": 0.8'))
    try:
        done = launch(*TWO, cwd=cwd)
    finally:
        config.write_text(text)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "settings.momentum = 0.8, not 0.9" in done.stderr


def test_a_nan_loss_stops_with_the_place_and_keeps_the_checkpoint(tmp_path):
    # Weight decay at 2.5 times the stable step: weights grow by half each step, for some epochs.
    arguments = (
        "--network=mlp",
        "--epochs=30",
        "--method=cross_entropy",
        "--momentum=0.0",
        "--learning_rate=1e-3",
        "--weight_decay=2500.0",
        f"--workdir={tmp_path}",
    )
    done = launch(*arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.count("\n") == 1
    assert re.search(r"cross_entropy: loss became (nan|inf) in epoch \d+, step \d+", done.stderr)
    (checkpoint,) = tmp_path.rglob("checkpoint.npz")
    with np.load(checkpoint) as archive:
        history = json.loads(archive["record"].tobytes())["history"]
        assert history and all(np.isfinite(record["loss"]) for record in history)
        assert all(np.isfinite(archive[name]).all() for name in archive.files)
    assert not list(tmp_path.rglob("results.json"))


def test_two_logical_devices(tmp_path):
    done = launch(
        *SHORT,
        "--method=meta_weight_net",
        "--strategy=mirrored",
        "--devices=2",
        f"--workdir={tmp_path}",
    )
    assert done.returncode == 0, done.stderr


def test_other_epochs_are_said_to_be_another_run(tmp_path, caplog):
    for epochs in (1, 2):
        caplog.clear()
        with caplog.at_level("INFO", logger="tf_mwn"):
            train(tmp_path, ["cross_entropy"], epochs=epochs)
        told = "holds the same run with --epochs=1. A run with 2 epochs starts" in caplog.text
        assert told == (epochs == 2)
