"""Ends short runs at random moments, and compares what the same command makes of the rest.

    python -m tests.integration.random_kills KILL,TERM 50

takes turns between the signals and between methods, 50 times. Each time a new run is started, sent
the signal at a random moment, and started again until it ends. A run that has ended before is no
trial: another is started in its place. It prints a line per trial, and exits with 1 if an
ending differs from that of a run left alone.
"""

import contextlib
import csv
import json
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

import numpy as np

from tests.integration.commands import started

METHODS = {
    "fine_tuning": ("--epochs=3", "--fine_tuning_epochs=2"),
    "meta_weight_net": ("--epochs=4",),
    "cross_entropy": ("--epochs=5",),
}
SETTINGS = ("--network=mlp", "--train_size=300", "--batch_size=50")


def start(method, workdir):
    """The process of a run, which writes to `out` and `err`."""
    arguments = [f"--method={method}", *METHODS[method], *SETTINGS, f"--workdir={workdir}"]
    return started(*arguments, streams=workdir)


def wait(process) -> int:
    process.join()
    return process.exitcode


def ending(workdir) -> list:
    """All that a run leaves, without times."""
    (path,) = workdir.glob("*/*/seed0/results.json")
    folder, results = path.parent, json.loads(path.read_text())
    del results["seconds_per_step"]
    with np.load(folder / "checkpoint.npz") as archive:
        state = [archive[name].tolist() for name in archive.files if name[0] == "v"]
    with open(folder / "metrics.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.pop("seconds_per_step")]
    files = {path.name for path in folder.iterdir() if not path.name.startswith("events.")}
    return [results, state, rows, files, (folder / "weights.csv").read_bytes()]


def send(name, process, workdir) -> int:
    """Sends the signal; the run's exit code. A run asked to end says so in one line."""
    number = getattr(signal, f"SIG{name}")
    with contextlib.suppress(ProcessLookupError):  # it has ended
        os.kill(process.pid, number)
    code, error = wait(process), (workdir / "err").read_text()
    assert code in (0, -number) or (code == 143 and number == signal.SIGTERM), (code, error)
    if code == 143:
        assert error.splitlines()[-1].startswith("error: stopped by SIGTERM"), error
    return code


def checkpoints(workdir) -> str:
    found = workdir.glob("*/*/seed0/checkpoint*.npz")
    return " ".join(sorted(path.name for path in found)) or "no checkpoint"


def run_to_the_end(method, workdir) -> list:
    assert wait(start(method, workdir)) == 0, (workdir / "err").read_text()
    return ending(workdir)


def wait_for_checkpoint(workdir) -> None:
    """Returns when a run has written its first; or in vain, when it has not within minutes."""
    for _ in range(60_000):
        if checkpoints(workdir) != "no checkpoint":
            return
        time.sleep(0.005)


def left_alone(method, workdir) -> tuple[list, float, float]:
    """The ending of a run, and the seconds until its first checkpoint and until its end."""
    began = time.monotonic()
    process = start(method, workdir)
    wait_for_checkpoint(workdir)
    first = time.monotonic() - began
    assert wait(process) == 0, (workdir / "err").read_text()
    return ending(workdir), first, time.monotonic() - began


def stopped(method, name, moments, first, end, workdir) -> int:
    """Starts runs until one is ended by the signal `name`; its exit code.

    At any moment of the run, or, in half of the trials, of what follows its first checkpoint: that
    is the shorter part of such a run, and more can go wrong there.
    """
    while True:
        shutil.rmtree(workdir, ignore_errors=True)
        workdir.mkdir()
        process = start(method, workdir)
        if moments.random() < 0.5:
            wait_for_checkpoint(workdir)
            time.sleep(moments.uniform(0, end - first))
        else:
            time.sleep(moments.uniform(0, end))
        code = send(name, process, workdir)
        if code:
            return code


def run(signals, count, root) -> int:
    """Runs `count` trials; how many of their endings differ."""
    moments, alone, unequal = random.Random(0), {}, 0
    wait(started("--method=list", streams=root))  # the first process waits for imports
    for i in range(count):
        method = list(METHODS)[i // len(signals) % len(METHODS)]
        name = signals[i % len(signals)]
        if method not in alone:
            (workdir := root / method).mkdir()
            alone[method] = left_alone(method, workdir)
        workdir, (whole, first, end) = root / str(i), alone[method]
        code = stopped(method, name, moments, first, end, workdir)
        place, equal = checkpoints(workdir), run_to_the_end(method, workdir) == whole
        unequal += not equal
        result = "equal" if equal else "DIFFERS"
        print(f"{i} {method} SIG{name}: code {code}, {place}; {result}", flush=True)
        shutil.rmtree(workdir)
    print(f"{count} runs stopped, {count - unequal} equal endings", flush=True)
    return unequal


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        unequal = run(sys.argv[1].split(","), int(sys.argv[2]), pathlib.Path(folder))
    sys.exit(bool(unequal))
