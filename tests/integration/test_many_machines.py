"""`--strategy=multi_worker` on the digits: a worker is killed, all are started again."""

import time

import numpy as np
import pytest

from tests.integration.cluster import Process, end_all, run_all, worker_environments
from tests.integration.commands import SHORT, launch
from tests.launch.finished_runs import mistake
from tf_mwn.launch import main as launch_main

EPOCHS = 4
SETTINGS = (*SHORT[:1], f"--epochs={EPOCHS}", "--method=meta_weight_net", "--train_size=300")


def files(workdir):
    return {path.name: path for path in workdir.glob("*/meta_weight_net/seed0/*")}


def event_files(workdir):
    return [name for name in files(workdir) if name.endswith(".v2")]


def interrupted(arguments, workdir):
    """Starts two workers and kills the second after the first checkpoint; codes and outputs."""
    both = [Process("launch.main", arguments, variables) for variables in worker_environments(2)]
    while "checkpoint.npz" not in files(workdir) and all(p.is_alive() for p in both):
        time.sleep(0.05)
    both[1].kill()
    return end_all(both)


def test_a_killed_worker_ends_the_other_and_all_go_on(tmp_path):
    workers = (*SETTINGS, "--strategy=multi_worker", f"--workdir={tmp_path / 'two'}")
    codes, outputs = interrupted(workers, tmp_path / "two")
    assert codes == [2, -9], outputs
    assert "error: a worker was lost" in outputs[0][1]
    assert not (files(tmp_path / "two").keys() & {"results.json"})
    outputs = run_all("launch.main", [workers] * 2, worker_environments(2))
    assert "meta_weight_net" in outputs[0][0].split("last epoch")[1]  # the chief's table
    assert "last epoch" not in outputs[1][0]

    alone = launch(*SETTINGS, f"--workdir={tmp_path / 'one'}")
    assert alone.returncode == 0, alone.stderr
    one, two = files(tmp_path / "one"), files(tmp_path / "two")
    assert_same_training(one["checkpoint.npz"], two["checkpoint.npz"])
    assert len(two["metrics.csv"].read_text().splitlines()) == 1 + EPOCHS
    assert len(event_files(tmp_path / "two")) == 2 * len(event_files(tmp_path / "one")), (
        "those of the chief alone, before and after"
    )


def assert_same_training(one, two):
    with np.load(one) as a, np.load(two) as b:
        assert a.files == b.files
        for name in a.files:
            if name.startswith("v"):
                np.testing.assert_allclose(a[name], b[name], atol=1e-4, err_msg=name)


GOOD = '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": %d}}'


@pytest.mark.parametrize(
    ("tf_config", "arguments", "message"),
    [
        (None, [], "expected the environment variable TF_CONFIG on every worker"),
        ("{", [], "TF_CONFIG: expected {"),
        (GOOD % 2, [], "TF_CONFIG: expected {"),
        (GOOD % -1, [], "TF_CONFIG: expected {"),
        (GOOD.replace('["a:1", "b:2"]', '"a:1"') % 0, [], "TF_CONFIG: expected {"),
        (GOOD.replace('"worker": [', '"ps": [') % 0, [], "TF_CONFIG: expected {"),
        (
            GOOD.replace('"worker": [', '"ps": ["c:3"], "worker": [') % 0,
            [],
            "expected jobs chief and worker, received ps, worker",
        ),
        (GOOD % 0, ["--devices=2"], "devices: expected 1 with strategy multi_worker"),
    ],
)
def test_mistakes_are_one_line(capsys, monkeypatch, tf_config, arguments, message):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if tf_config is not None:
        monkeypatch.setenv("TF_CONFIG", tf_config)
    arguments = ["--strategy=multi_worker", "--nodeterministic", *arguments]
    assert message in mistake(capsys, launch_main.main, *arguments)
