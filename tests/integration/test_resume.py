"""Ended by a signal and resumed equals left alone, bit for bit, whole processes and all."""

import os
import subprocess
import sys

from tests.integration.commands import ROOT, environment


def test_ended_at_random_moments_equals_left_alone():
    # One run of each signal; TF_MWN_KILLS=50 for as many.
    count = os.environ.get("TF_MWN_KILLS", "2")
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.random_kills", "KILL,TERM", count],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{count} runs stopped, {count} equal endings" in done.stdout
