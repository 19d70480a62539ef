"""The queue of runs: failures, several at a time, and what ends it."""

import os
import signal
import sys
import time

import pytest

from tests.reproduction.planned_fixtures import quickstart
from tf_mwn.reproduction import run_queue

# What a process of the queue does: appends to a file, and fails if its seed is odd.
CHILD = """
import sys, time
path, seed = sys.argv[1], int(sys.argv[2])
open(path, "a").write(f"+{seed}")
time.sleep(eval(sys.argv[3]))
open(path, "a").write(f"-{seed}")
if seed % 2:
    print("note", file=sys.stderr)
    print("error: odd", file=sys.stderr)
    sys.exit(2)
"""


@pytest.fixture
def interrupts():
    """Ctrl-C as in a terminal: a shell's background jobs ignore it, and so would Python."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def queue(tmp_path, monkeypatch):
    """Function of seeds, jobs and the seconds of each; the failures, and the log of the runs."""

    def execute(seeds, jobs, seconds, tell=lambda line: None):
        def child(run, folders):
            return [sys.executable, "-c", CHILD, tmp_path / "log", f"{run.seed}", f"{seconds}"]

        monkeypatch.setattr(run_queue, "command", child)
        finished = []
        runs = [quickstart(seed=s) for s in seeds]
        failed = run_queue.execute(runs, [], jobs, tell, lambda: finished.append(1))
        assert len(finished) == len(runs) - len(failed)
        return failed, (tmp_path / "log").read_text()

    return execute


def test_queue_goes_on_after_a_failure_one_at_a_time(queue):
    lines = []
    failed, log = queue([0, 1, 2], 1, 0, lines.append)
    assert log == "+0-0+1-1+2-2"
    assert failed == {"quickstart/cross_entropy/seed1": "error: odd"}
    assert "finished" in lines[0] and "error: odd" in lines[1] and "0 left" in lines[2]


def test_queue_runs_jobs_at_a_time(queue):
    failed, log = queue([0, 2], 2, 3)
    assert failed == {} and log[:4] in ("+0+2", "+2+0")


# As `CHILD`, but another process holds the run of seed 0 at first.
HELD = """
import pathlib, sys
from tf_mwn.files import FolderConflictError, Folder
log, seed = pathlib.Path(sys.argv[1]), sys.argv[2]
first = not (log.exists() and seed in log.read_text())
open(log, "a").write(f"+{seed}")
if seed == "0" and first:
    with Folder(log.parent / "run").locked():
        try:
            with Folder(log.parent / "run").locked():
                pass
        except FolderConflictError as error:
            sys.exit(f"error: {error}")
"""


def test_a_run_that_another_process_trains_is_put_off(queue, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "CHILD", HELD)
    monkeypatch.setattr(run_queue, "_REST", 0.1)
    lines = []
    failed, log = queue([0, 2], 1, 0, lines.append)
    assert (failed, log) == ({}, "+0+2+0")
    assert "another process trains it" in lines[0] and "finished" in lines[2]


@pytest.mark.usefixtures("interrupts")
@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]
)
def test_what_ends_the_queue_ends_its_processes(queue, tmp_path, number, error):
    def send(line):
        os.kill(os.getpid(), number)
        time.sleep(5)

    with pytest.raises(error) as ended:
        queue([1, 0], 2, "1 if seed else 60", send)
    if error is SystemExit:
        assert ended.value.code == 143
    assert "-1" in (log := (tmp_path / "log").read_text()) and "-0" not in log


def test_the_command_of_a_run_has_its_flags_and_the_folders():
    command = run_queue.command(quickstart(seed=3, epochs=2), ["--workdir=w"])
    flags = ["--recipe=quickstart", "--method=cross_entropy", "--seed=3", "--epochs=2"]
    assert command == [sys.executable, "-m", "tf_mwn.launch.main", *flags, "--workdir=w"]
