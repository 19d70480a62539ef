"""Killed and resumed equals never killed, bit for bit."""

import json
import random
import signal
import subprocess
import time

import numpy as np

from tests.integration.commands import ROOT, command, environment, launch

METHODS = ("cross_entropy", "meta_weight_net")
ARGUMENTS = ("--network=small_cnn", "--epochs=8", "--train_size=600", "--batch_size=50")


def kill_after(seconds, *arguments):
    """Starts the command and kills it; whether it was still running."""
    process = subprocess.Popen(
        command(*arguments),
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(seconds)
    running = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return running


def result_files(workdir):
    (experiment,) = workdir.iterdir()
    return {method: experiment / method / "seed0" for method in METHODS}


def test_killed_three_times_equals_never_killed(tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    started = time.monotonic()
    done = launch(*ARGUMENTS, f"--workdir={whole}")
    assert done.returncode == 0, done.stderr
    duration = time.monotonic() - started

    moments = random.Random(0)
    kills = [
        kill_after(duration * moments.uniform(0.45, 0.9), *ARGUMENTS, f"--workdir={broken}")
        for _ in range(3)
    ]
    assert any(kills), "no kill hit a running process"
    done = launch(*ARGUMENTS, f"--workdir={broken}")
    assert done.returncode == 0, done.stderr

    for method in METHODS:
        a, b = result_files(whole)[method], result_files(broken)[method]
        with np.load(a / "checkpoint.npz") as one, np.load(b / "checkpoint.npz") as two:
            assert one.files == two.files and len(one.files) > 10
            for name in one.files:
                if name != "history":  # holds times
                    np.testing.assert_array_equal(one[name], two[name])
        assert without_times(a / "results.json") == without_times(b / "results.json")
        assert (a / "weights.csv").read_bytes() == (b / "weights.csv").read_bytes()
        lines = [(f / "metrics.csv").read_text().splitlines() for f in (a, b)]
        assert len(lines[0]) == len(lines[1]) == 1 + 8
        assert not list(b.glob(".writing-*"))


def without_times(path):
    results = json.loads(path.read_text())
    return {key: value for key, value in results.items() if key != "seconds_per_step"}
