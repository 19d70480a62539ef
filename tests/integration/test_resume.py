"""Ended by a signal and resumed equals left alone, bit for bit, whole processes and all."""

import os

from tests.integration import random_kills


def test_ended_at_random_moments_equals_left_alone(tmp_path, capsys):
    # One run of each signal; TF_MWN_KILLS=50 for as many.
    count = int(os.environ.get("TF_MWN_KILLS", "2"))
    assert random_kills.run(["KILL", "TERM"], count, tmp_path) == 0
    assert f"{count} runs stopped, {count} equal endings" in capsys.readouterr().out
