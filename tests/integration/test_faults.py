"""What a run does when something around it fails: it keeps its checkpoint, and then goes on."""

import errno
import json
import os
import shutil
import signal
import tempfile

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tf_mwn.files import Folder, FolderConflictError
from tf_mwn.launch.command_line import work
from tf_mwn.monitoring.callbacks import NonFiniteLossError, StepTimer
from tf_mwn.recipes.experiment import resolve
from tf_mwn.runs import checkpoint, train
from tf_mwn.runs.data_failure import DataFailedError, data_failures
from tf_mwn.runs.epoch_state import StopWhenAsked
from tf_mwn.runs.session import Session
from tf_mwn.runs.termination import Terminated, Termination

PART = "checkpoint_part.npz"
# Two phases of two epochs: 5 steps in each epoch of the first.
SETTINGS = {
    "network": "mlp",
    "epochs": 2,
    "train_size": 250,
    "batch_size": 50,
    "deterministic": False,
}


def session_of(workdir, method="glc", **settings):
    """A run of one method, ready to train as often as a test likes."""
    chosen = {name: v for name, v in (SETTINGS | settings).items() if v is not None}
    experiment = resolve("quickstart", chosen, [method], (0,))
    return Session.prepare(experiment, tf.distribute.get_strategy(), str(workdir))


def execute(session):
    """Trains the one run of a session; its folder."""
    (run,) = session.runs()
    train.train(run, session.data(0), session.strategy)
    return run.folder


def ending(folder):
    """All that a run leaves, without times."""
    results = folder.read_json("results.json")
    with np.load(folder / "checkpoint.npz") as archive:
        history = json.loads(archive["record"].tobytes())["history"]
        state = [archive[name].tolist() for name in archive.files if name[0] == "v"]
    for record in (results, *history):
        del record["seconds_per_step"]
    lines = (folder / "metrics.csv").read_text().count("\n")
    names = [path.name for path in folder.path.iterdir()]
    files = {name for name in names if not name.startswith("events.")}  # a file per start
    return results, history, state, lines, files, (folder / "weights.csv").read_text()


@pytest.fixture(scope="module")
def workdir_of_whole(tmp_path_factory):
    workdir = tmp_path_factory.mktemp("whole")
    session = session_of(workdir)
    execute(session)
    return workdir


@pytest.fixture(scope="module")
def whole(workdir_of_whole):
    """The ending of a run that nothing happens to."""
    (path,) = workdir_of_whole.rglob("results.json")
    return ending(Folder(path.parent))


@pytest.fixture
def copy_of_whole(workdir_of_whole, tmp_path):
    """The folder of a finished run, to change."""
    shutil.copytree(workdir_of_whole, tmp_path / "runs")
    (path,) = tmp_path.rglob("results.json")
    return Folder(path.parent)


class At:
    """Does something after the n-th step of all runs together."""

    def __init__(self, monkeypatch, **actions):
        self.steps, self.actions = 0, {int(name[1:]): do for name, do in actions.items()}
        timed = StepTimer.on_train_batch_end

        def on_train_batch_end(timer, batch, logs=None):
            timed(timer, batch, logs)
            self.steps += 1
            self.actions.get(self.steps, lambda: None)()

        monkeypatch.setattr(StepTimer, "on_train_batch_end", on_train_batch_end)


def terminate():
    os.kill(os.getpid(), signal.SIGTERM)


def test_sigterm_loses_no_step_of_any_phase(tmp_path, monkeypatch, whole):
    # Twice within one epoch of the first phase, and within one of the second.
    counted = At(monkeypatch, s3=terminate, s4=terminate, s13=terminate)
    session = session_of(tmp_path)
    for found in ({PART}, {PART}, {PART, "checkpoint.npz", "checkpoint_before.npz"}):
        with pytest.raises(Terminated, match="the same command continues"):
            execute(session)
        assert {path.name for path in tmp_path.rglob("checkpoint*")} == found
    folder = execute(session)
    assert counted.steps == 20
    assert ending(folder) == whole
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_sigterm_in_the_last_step_of_an_epoch_lets_it_end(tmp_path):
    termination = Termination()
    stop = StopWhenAsked(Folder(tmp_path), termination, start_step=2)
    stop.set_params({"steps": 3})
    stop.on_epoch_begin(0)
    termination.requested = True
    stop.on_train_batch_end(2)
    with pytest.raises(Terminated):
        stop.on_epoch_end(0)
    assert not list(tmp_path.iterdir())


def test_sigterm_outside_of_steps_is_noticed_at_the_end_of_the_block():
    with pytest.raises(Terminated), Termination() as termination:
        terminate()
        assert termination.requested
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_full_disk_keeps_the_checkpoint_and_a_damaged_one_costs_an_epoch(
    tmp_path, monkeypatch, whole, capsys
):
    written = []

    def savez(path, **arrays):
        written.append(path)
        with open(path, "wb") as file:
            file.write(b"half of the archive")
            if len(written) == 3:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            file.seek(0)
            whole_savez(file, **arrays)

    whole_savez = np.savez
    monkeypatch.setattr(checkpoint.np, "savez", savez)
    session = session_of(tmp_path)
    (run,) = session.runs()
    with pytest.raises(OSError, match="No space left on device: .*checkpoint.npz"):
        execute(session)
    names = {path.name for path in run.folder.path.iterdir()}
    assert {"checkpoint.npz", "checkpoint_before.npz"} <= names
    assert not [name for name in names if name.startswith(".writing")]
    with np.load(run.folder / "checkpoint.npz") as archive:
        assert len(json.loads(archive["record"].tobytes())["history"]) == 2

    content = bytearray((run.folder / "checkpoint.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (run.folder / "checkpoint.npz").write_bytes(content)
    capsys.readouterr()
    folder = execute(session)
    assert "is damaged" in capsys.readouterr().out
    assert len(written) == 3 + 3  # epochs 2 to 4
    assert ending(folder) == whole


def test_killed_between_the_last_checkpoint_and_the_last_metrics(tmp_path, copy_of_whole, whole):
    (copy_of_whole / "results.json").unlink()
    metrics = copy_of_whole / "metrics.csv"
    metrics.write_text("".join(metrics.read_text().splitlines(keepends=True)[:-1]))
    assert ending(execute(session_of(tmp_path / "runs"))) == whole


def test_a_folder_in_use_is_not_trained_in_but_read_when_finished(tmp_path, copy_of_whole):
    session, results = session_of(tmp_path / "runs"), copy_of_whole.read_json("results.json")
    (run,) = session.runs()
    with copy_of_whole.locked():
        assert train.train(run, session.data(0), session.strategy) == results
        (copy_of_whole / "results.json").unlink()
        with pytest.raises(FolderConflictError, match="in use by pid"):
            execute(session)
    assert run.results is None


def images(folder):
    """Ten files in each of two classes, for training and test."""
    rng = np.random.default_rng(0)
    for part, name in ((p, c) for p in ("train", "test") for c in ("cats", "dogs")):
        (folder / part / name).mkdir(parents=True)
        for i in range(20):
            pixels = rng.integers(0, 256, [8, 8, 3]).astype(np.uint8)
            Image.fromarray(pixels).save(folder / part / name / f"{i:02}.png")


def test_an_image_that_disappears_is_named_and_the_run_goes_on_when_it_is_back(
    tmp_path, monkeypatch
):
    images(tmp_path / "data")
    settings = {"dataset": str(tmp_path / "data"), "image_size": 8, "stream": "on", "epochs": 2}
    settings |= {"train_size": None, "batch_size": 5, "meta_size": 10}
    places = tmp_path / "data/train", tmp_path / "elsewhere"
    counted = At(monkeypatch, s8=lambda: os.rename(*places))
    session = session_of(tmp_path / "runs", "cross_entropy", **settings)
    (run,) = session.runs()
    with pytest.raises(DataFailedError, match=r"received \S+/\d\d.png \(missing\)"):
        execute(session)
    assert (run.folder / "checkpoint.npz").exists()
    os.rename(*reversed(places))
    counted.steps = 100
    execute(session)
    assert counted.steps == 106  # the second epoch
    assert run.results["epochs"] == 2


def test_an_error_of_a_step_is_not_taken_for_one_of_the_data():
    with pytest.raises(tf.errors.InvalidArgumentError), data_failures():
        tf.linalg.inv(tf.zeros([2, 2]))


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (FolderConflictError("runs/a: in use"), 1, "runs/a: in use"),
        (NonFiniteLossError("loss became nan"), 2, "loss became nan"),
        (
            DataFailedError("the data could not be read: x"),
            2,
            "the data could not be read: x; put it right, "
            "then the same command continues from the last checkpoint",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device", "runs/checkpoint.npz"),
            2,
            "runs/checkpoint.npz: No space left on device; put it right, "
            "then the same command continues from the last checkpoint",
        ),
        (Terminated(), 143, "stopped by SIGTERM; the same command continues where it stopped"),
        (KeyboardInterrupt(), 2, "interrupted; the same command continues where it stopped"),
    ],
)
def test_every_failure_is_one_line_with_its_code(capsys, error, code, line):
    def action():
        raise error

    with pytest.raises(SystemExit) as stopped:
        work(action)
    assert stopped.value.code == code
    assert capsys.readouterr().err == f"error: {line}\n"


def test_a_workdir_that_cannot_be_written_is_refused_before_anything_is_trained(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="workdir: expected a folder, received the file"):
        session_of(tmp_path / "file")
    assert {path.name for path in tmp_path.iterdir()} == {"file"}


def test_a_read_only_workdir_is_refused(tmp_path, monkeypatch):
    # Root may write anywhere; what the system would answer to others:
    def refused(**kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refused)
    with pytest.raises(ValueError, match="workdir: expected a folder that can be written"):
        session_of(tmp_path / "runs")
    assert not list(tmp_path.iterdir())
