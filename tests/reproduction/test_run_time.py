"""The time that runs will take, by hand and by finished runs."""

import pytest

from tests.reproduction.planned_fixtures import quickstart, write_run
from tf_mwn.reproduction import run_time
from tf_mwn.training.fine_tuning import cut_steps


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


def test_finished_epochs_of_a_started_run_are_not_counted(tmp_path):
    planned = quickstart("meta_weight_net", epochs=10, meta_start=0.4)
    step, run = 0.006 + 64e-5, planned.run(tmp_path)
    run.claim("data")
    whole = run_time.seconds(planned)
    assert run_time.seconds(planned, workdir=tmp_path) == whole
    run.write_metrics([{"epoch": epoch, "test_accuracy": 0.5} for epoch in range(1, 7)])
    # Four plain epochs and two of six others are done.
    left = 15 + 4 * (0.2 + 13 * step * 10 / 3)
    assert run_time.seconds(planned, workdir=tmp_path) == pytest.approx(left)
    assert run_time.seconds(planned) == whole
    run.write_metrics([{"epoch": epoch, "test_accuracy": 0.5} for epoch in range(1, 11)])
    assert run_time.seconds(planned, workdir=tmp_path) == pytest.approx(15)


def test_the_last_phase_is_cut_and_counted_in_full(tmp_path):
    """It has no checkpoint, so that a run that is killed in it repeats it."""
    settings = {"meta_size": 20, "batch_size": 10, "epochs": 2}
    planned = quickstart(fine_tuning_epochs=3, held_back=0.5, **settings)
    without = run_time.seconds(quickstart(**settings))
    step = (0.006 + 64e-5) / 10
    last = 3 * (0.2 + cut_steps(141, 10, 10) * step)
    assert run_time.seconds(planned) == pytest.approx(without + last)
    run = planned.run(tmp_path)
    run.claim("data")
    run.write_metrics([{"epoch": epoch, "test_accuracy": 0.5} for epoch in range(1, 5)])
    assert run_time.seconds(planned, workdir=tmp_path) == pytest.approx(15 + last)
