"""The time that runs will take, by hand and by finished runs."""

import pytest

from tests.reproduction.planned_fixtures import quickstart, write_run
from tf_mwn.reproduction import run_time


def test_time_by_hand_and_by_finished_runs(tmp_path):
    run = quickstart(batch_size=100, epochs=60)
    # 1438 - 100 examples are 13 steps of 0.006 + 64e-5 seconds.
    step = 0.006 + 64e-5
    assert run_time.seconds(run) == pytest.approx(15 + 60 * (0.2 + 13 * step))
    meta = run_time.seconds(quickstart("meta_weight_net"))
    assert meta == pytest.approx(15 + 60 * (0.2 + 13 * step * 10 / 3))
    assert run_time.factor([run], tmp_path) is None
    write_run(tmp_path, run, seconds_per_step=4 * step)
    assert run_time.factor([run], tmp_path) == pytest.approx(4.0)
    assert run_time.seconds(quickstart(network="lenet")) is None
