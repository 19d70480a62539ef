"""Trains planned runs, each in a process of its own and a given number at a time."""

import collections
import contextlib
import dataclasses
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO

from tf_mwn.files import IN_USE
from tf_mwn.reproduction.planned_runs import Planned

_REST = 10.0  # seconds until a run that another process trains is tried again


@dataclasses.dataclass
class _Process:
    run: Planned
    process: subprocess.Popen
    errors: IO[str]
    started: float


def command(run: Planned, folders: Sequence[str]) -> list[str]:
    """The command that trains `run`: its own flags, then those of `folders`."""
    module, *flags = run.command()
    # In full: the current folder may have another module called launch.
    return [sys.executable, "-m", f"tf_mwn.{module}", *flags, *folders]


def execute(
    runs: Sequence[Planned],
    folders: Sequence[str],
    jobs: int,
    tell: Callable[[str], None] = print,
    finished: Callable[[], None] = lambda: None,
) -> dict[str, str]:
    """Trains `runs` in order, `jobs` at a time. A run that fails does not stop the others.

    A run that is being trained by another process, on this machine or another, is put off until
    that process has ended. If this function ends early, it sends SIGTERM to its processes first,
    so that they keep their state.

    Args:
        runs: the runs to train.
        folders: flags that name folders, such as --workdir.
        jobs: number of processes at a time.
        tell: called with each line of progress.
        finished: called after each run that has finished.

    Returns:
        The error of each run that failed, in one line, by the run's name.
    """
    waiting, running, failed = collections.deque(runs), [], {}
    put_off = {}
    with _terminated_as_exit():
        try:
            while waiting or running:
                while waiting and len(running) < jobs and _has_rested(waiting[0], put_off):
                    run = waiting.popleft()
                    running.append(_start(run, command(run, folders)))
                ended = [entry for entry in running if entry.process.poll() is not None]
                for entry in ended:
                    running.remove(entry)
                    problem = _problem(entry)
                    if problem and IN_USE in problem:
                        if entry.run.name not in put_off:
                            tell(f"{entry.run.name}: another process trains it; put off")
                        put_off[entry.run.name] = time.monotonic()
                        waiting.append(entry.run)
                        continue
                    if problem:
                        failed[entry.run.name] = problem
                    left = len(waiting) + len(running)
                    spent = f"{time.monotonic() - entry.started:.0f} s"
                    tell(f"{entry.run.name}: {problem or 'finished'} ({spent}, {left} left)")
                    if not problem:
                        finished()
                if not ended:
                    time.sleep(0.1)
        finally:
            _end(running)
    return failed


def _has_rested(run: Planned, put_off: Mapping[str, float]) -> bool:
    return time.monotonic() - put_off.get(run.name, -math.inf) >= _REST


def _start(run: Planned, arguments: Sequence[str]) -> _Process:
    errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by `_problem` or `_end`
    environment = {"TF_CPP_MIN_LOG_LEVEL": "2", **os.environ}
    process = subprocess.Popen(
        arguments, stdout=subprocess.DEVNULL, stderr=errors, env=environment, text=True
    )
    return _Process(run, process, errors, time.monotonic())


def _problem(entry: _Process) -> str | None:
    """The reason why a process failed, in one line; None if it did not fail."""
    with entry.errors as errors:
        if entry.process.returncode == 0:
            return None
        errors.seek(0)
        lines = [line.strip() for line in errors if line.strip()]
    own = [line for line in lines if line.startswith("error: ")] or lines
    return own[-1] if own else f"error: exit code {entry.process.returncode}"


def _end(running: Sequence[_Process]) -> None:
    for entry in running:
        entry.process.terminate()
    for entry in running:
        entry.process.wait()
        entry.errors.close()


@contextlib.contextmanager
def _terminated_as_exit() -> Iterator[None]:
    """Makes SIGTERM raise an exception, so that `finally` is reached. The exit code is 143."""

    def leave(number, frame):
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
