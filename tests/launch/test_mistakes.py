"""A user's mistake is one line, exit code 1, and nothing is written."""

import os

import numpy as np
import pytest
from absl import flags
from absl.testing import flagsaver

from tf_mwn.launch import main as launch_main
from tf_mwn.launch.command_line import parse

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(300, 6)).astype("float32"), np.arange(300) % 3


def mistake(capsys, *arguments):
    """Runs the launcher in this process; its line on stderr."""
    with flagsaver.flagsaver(), pytest.raises(SystemExit) as stopped:
        launch_main.main(parse(["tf_mwn.launch.main", "--nodeterministic", *arguments]))
    assert stopped.value.code == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith("error: "), error
    return error


@pytest.fixture(autouse=True)
def nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield
    assert not os.path.exists("runs")
    flags.FLAGS.unparse_flags()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--recipe=quickstrat"], "did you mean 'quickstart'"),
        (["--method=meta_weight"], "did you mean 'meta_weight_net'"),
        (["--network=resnet33"], "did you mean 'resnet32'"),
        (["--noise=flpi2"], "did you mean 'flip2'"),
        (["--noise_rate=1.5"], "noise_rate: expected a value in [0, 1], received 1.5"),
        (["--noise_rate=-0.5"], "noise_rate: expected a value in [0, 1], received -0.5"),
        (["--imbalance_factor=0.5"], "imbalance_factor: expected a value in [1, inf)"),
        (["--epochs=0"], "epochs: expected a value in [1, inf), received 0"),
        (["--epochs=many"], "flag --epochs=many: invalid literal"),
        (["--meta_size=-1"], "meta_size: expected a value in [0, inf), received -1"),
        (["--meta_size=0"], "meta_size: expected a meta set for meta_weight_net, robust"),
        (["--batch_size=-1"], "batch_size: expected a value in [1, inf), received -1"),
        (["--seed=one"], "seed: expected integers"),
        (["--seed="], "seed: expected at least one, received none"),
        (["--seed=0,0"], "seed: expected each once"),
        (["--weight_net_units=100,x"], "weight_net_units: expected integers"),
        (["--no_such_flag=1"], "Unknown command line flag 'no_such_flag'"),
        (["quickstart"], "expected flags only, received the argument 'quickstart'"),
        (["--method=cross_entropy", "--meta_interval=5"], "no effect on cross_entropy"),
        (["--noise=none"], "noise_rate: expected 0 without --noise, received 0.4"),
        (["--devices=2"], "pass --strategy=mirrored"),
        (["--flagfile=missing.txt"], "No such file or directory: 'missing.txt'"),
    ],
)
def test_before_anything_is_loaded(capsys, arguments, message):
    assert message in mistake(capsys, *arguments)


def save(name="mine.npz", **arrays):
    np.savez(name, **{"x": X, "y": Y, **arrays})
    return name


BAD_FILES = {
    "no such file": (lambda: "missing.npz", "received missing.npz, which does not exist"),
    "no archive": (lambda: write("mine.npz", b"hello"), "archive, received mine.npz"),
    "object arrays": (lambda: save(x=np.array([{}] * 300, object)), "x: expected numbers"),
    "float labels": (lambda: save(y=Y + 0.5), "y: expected integers, received float64"),
    "negative labels": (lambda: save(y=Y - 1), "y: expected integers of at least 0, received -1"),
    "an empty class": (lambda: save(y=np.where(Y == 1, 2, Y)), "received no example of class 1"),
    "lengths that differ": (lambda: save(y=Y[:-1]), "x, y: expected the same length"),
    "NaN inputs": (lambda: save(x=np.where(X > 2, np.nan, X)), "x: expected finite values"),
    "test labels out of range": (lambda: save(x_test=X, y_test=Y + 5), "y_test: expected integers"),
    "doubled ids": (lambda: save(sample_id=np.zeros(300, int)), "sample_id: expected unique ids"),
}


def write(name, content):
    with open(name, "wb") as file:
        file.write(content)
    return name


@pytest.mark.parametrize("kind", BAD_FILES)
def test_files_that_cannot_be_used(capsys, kind):
    make, message = BAD_FILES[kind]
    assert message in mistake(capsys, f"--dataset={make()}", "--network=mlp", "--meta_size=30")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--meta_size=290"], "meta_size: expected at least 97 examples of class 0"),
        (["--meta_size=2"], "meta_size: expected at least one example for each of 3"),
        (["--batch_size=5000"], "batch_size: expected at most the 210 training images"),
        (["--meta_batch_size=50"], "meta_batch_size: expected at most the 30 meta images"),
        (["--validation_size=5000"], "validation_size: expected at most 209 examples"),
        (["--train_size=5000"], "train_size: expected at most 210 examples"),
        (["--imbalance_factor=1e6"], "which empties class 1"),
        (["--network=small_cnn"], "try --network=mlp"),
        (["--augment=crop_flip"], "pass --augment=none"),
        (["--workdir=mine.npz"], "workdir: expected a folder, received the file"),
        (
            ["--workdir=/proc/nope"],
            "workdir: expected a folder that can be written, received /proc",
        ),
        (["--label_file=missing.npy"], "received missing.npy, which does not exist"),
        (["--image_size=32"], "image_size: expected images in files"),
        (["--method=co_teaching"], "noise_rate, received none; give --noise and --noise_rate"),
        (["--method=forward_correction"], "transition_matrix, received none; give --noise"),
        (["--method=mentornet_dd"], "give --noise and --noise_rate, or --noise_matrix, or --men"),
    ],
)
def test_settings_that_the_data_cannot_have(capsys, arguments, message):
    given = ["--network=mlp", "--meta_size=30", *arguments]
    assert message in mistake(capsys, f"--dataset={save()}", *given)


@pytest.mark.parametrize(
    ("ids", "labels", "message"),
    [
        (np.arange(299), Y[:299], "received none for 1, the first with id 299"),
        (np.r_[np.arange(299), 5000], Y, "received 1 unknown, the first 5000"),
        (np.r_[np.arange(299), 0], Y, "unique ids, received 0 more than once"),
        (np.arange(300), Y + 10, "expected classes among 0, 1, 2, received 10"),
        (np.arange(300), Y * 0.5, "expected integers, received float64"),
    ],
)
def test_label_files_that_do_not_fit(capsys, ids, labels, message):
    np.savez("labels.npz", sample_id=ids, label=labels)
    # Without x_test a fifth would be split off, and its ids would be unknown.
    dataset = save(x_test=X[:30], y_test=Y[:30])
    arguments = ["--network=mlp", "--meta_size=30", "--label_file=labels.npz"]
    assert message in mistake(capsys, f"--dataset={dataset}", *arguments)


def test_a_set_that_is_not_prepared_says_how(capsys, tmp_path):
    line = mistake(capsys, "--dataset=mnist", f"--data_dir={tmp_path}")
    assert "add --download to fetch it, or --data_dir=FOLDER" in line


def test_an_empty_folder(capsys, tmp_path):
    (tmp_path / "empty").mkdir()
    line = mistake(capsys, f"--dataset={tmp_path}/empty")
    assert line.endswith("received an empty folder\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_write_permission(capsys, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    line = mistake(capsys, f"--dataset={save()}", "--network=mlp", "--workdir=locked/runs")
    assert "can be written" in line
