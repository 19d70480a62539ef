"""`python -m launch.benchmark`: what it measures, and what it refuses. No time is asserted."""

import json
import subprocess
import sys

import pytest
import tensorflow as tf

from tf_mwn.benchmark import plan
from tf_mwn.benchmark.cost import StepCost, measure
from tf_mwn.benchmark.plan import Case, Images, combinations, parsed, suite
from tf_mwn.benchmark.report import bars, table
from tf_mwn.benchmark.step import Step
from tf_mwn.methods import registry
from tf_mwn.monitoring import figures

TINY = Images(size=8, num_classes=3)
VALUES = {**plan.DEFAULTS, "network": ("mlp",), "batch_size": (6,)}


def settings(**changed):
    return {**{name: values[0] for name, values in VALUES.items()}, **changed}


def launch(*arguments):
    """The launcher in a process of its own: it divides the CPU, and its flags are those of runs."""
    command = [sys.executable, "-m", "launch.benchmark", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_rows_of_all_combinations(mirrored, monkeypatch):
    """A method that learns every third step, one and two devices, and what they have alike."""
    values = {**VALUES, "meta_interval": (3,), "devices": (1, 2)}
    cases = combinations(["meta_weight_net", "gce"], values)
    devices = {1: tf.distribute.get_strategy(), 2: mirrored}
    monkeypatch.setattr("tf_mwn.benchmark.cost._STALL_SECONDS", 0.0)
    costs = measure(cases, 1, TINY, devices)
    rows = [cost.to_json() for cost in costs]
    keys = ("method", "virtual_variables", "meta_interval", "meta_batch_size", "devices")
    assert [tuple(row[key] for key in keys) for row in rows] == [
        (*settings, number)
        for number in (1, 2)
        for settings in (
            ("cross_entropy", None, None, None),
            ("meta_weight_net", "all", 3, 6),
            ("meta_weight_net", "head", 3, 6),
            ("gce", None, None, None),
        )
    ]
    for row in rows:
        assert (row["network"], row["batch_size"], row["precision"]) == ("mlp", 6, "float32")
        assert row["milliseconds"] > 0 and row["tracing_seconds"] > 0
        assert row["stall"] is not None and row["memory_ratio"] is None
        assert row["ratio"] == 1 or row["method"] != "cross_entropy"
    assert "meta_weight_net virtual_variables=head meta_interval=3" in table(costs)


def test_the_launcher_with_memory(tmp_path):
    done = launch(
        *("--network=mlp", "--batch_size=6", "--method=gce", "--image_size=8", "--num_classes=3"),
        *("--rounds=1", "--nostall", "--memory"),
        *(f"--output={tmp_path}/rows.json", f"--figure={tmp_path}/ratios.png"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    baseline, row = json.loads((tmp_path / "rows.json").read_text())
    assert (baseline["method"], row["method"]) == ("cross_entropy", "gce")
    assert baseline["ratio"] == baseline["memory_ratio"] == 1 and row["stall"] is None
    assert row["memory_ratio"] == row["megabytes"] / baseline["megabytes"] > 0
    assert (tmp_path / "ratios.png").read_bytes().startswith(b"\x89PNG")
    assert len(done.stdout.splitlines()) == 7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method=meta_weight"], "did you mean 'meta_weight_net'"),
        (["--method="], "method: expected at least one"),
        (["--network=resnet33"], "did you mean"),
        (["--batch_size=many"], "batch_size: expected integers, received 'many'"),
        (["--meta_batch_size=twice"], "meta_batch_size: expected integers, same or half"),
        (["--meta_interval=0"], "meta_interval: expected a value in [1, inf)"),
        (["--virtual_variables=tail"], "virtual_variables: expected one of"),
        (["--precision="], "precision: expected at least one value"),
        (["--suite=readme", "--method=gce"], "method: expected no such flag with --suite"),
        (["--output=missing/rows.json"], "output: expected a file in a folder"),
    ],
)
def test_mistakes_before_anything_is_loaded(arguments, message):
    done = launch(*arguments)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert message in done.stderr


def test_shares_that_a_device_would_not_get(mirrored):
    case = Case.make("cross_entropy", {**settings(), "batch_size": 1})
    with pytest.raises(ValueError, match="batch_size: expected a share for each of 2 devices"):
        Step(case, TINY, mirrored)


def test_options_that_a_method_does_not_read_do_not_multiply():
    values = {**VALUES, "meta_interval": (1, 5), "batch_size": (6, 12)}
    cases = combinations(["cross_entropy", "gce", "l2rw", "meta_weight_net"], values)
    counted = {method: sum(case.method == method for case in cases) for method in registry.METHODS}
    assert {method: n for method, n in counted.items() if n} == {
        "cross_entropy": 2,
        "gce": 2,
        "l2rw": 4,
        "meta_weight_net": 8,
    }
    assert all(case.baseline in cases for case in cases)


def test_the_meta_batch_follows_the_batch():
    for given, size in (("same", 6), ("half", 3), (2, 2)):
        case = Case.make("meta_weight_net", settings(meta_batch_size=given))
        assert case.settings["meta_batch_size"] == size
    assert Case.make("gce", settings(meta_batch_size="half")).settings["meta_batch_size"] is None


def test_values_from_the_command_line():
    assert parsed("batch_size", ["1", "20"]) == (1, 20)
    assert parsed("meta_batch_size", ["same", "7"]) == ("same", 7)
    assert parsed("network", ["mlp"]) == ("mlp",)


def test_suites_hold_what_can_be_built():
    for name in plan.SUITES:
        names = [case.name for case in suite(name, VALUES)]
        assert names[0] == "cross_entropy" and len(set(names)) == len(names)


def test_a_cycle_is_the_mean_over_its_steps(monkeypatch):
    """Every third step learns: (7 + 1 + 1) / 3, each kind taken once."""
    case = Case.make("meta_weight_net", settings(meta_interval=3))
    step = Step(case, TINY, tf.distribute.get_strategy())
    taken = []

    def block(model, feed, steps):
        taken.append(model.step_kind()[1])
        return 7.0 if taken[-1] else 1.0

    monkeypatch.setattr("tf_mwn.benchmark.step._block", block)
    assert step.seconds() == 3.0 and taken == [True, False]
    fast = Case.make("meta_weight_net", settings(speed="fast"))
    assert Step(fast, TINY, tf.distribute.get_strategy()).cycle == 5


# Those that train in phases, look at whole sets, learn something first or have their own stream.
@pytest.mark.parametrize(
    ("method", "phase"),
    [
        ("cmw_net", "weighted"),
        ("learning_to_teach", "final"),
        ("glc", "corrected_epochs"),
        ("fwl", "fwl_epochs"),
        ("s_model", "channel_epochs"),
        ("mentornet_dd", None),
        ("co_teaching", None),
        ("resampling", None),
    ],
)
def test_the_step_of_a_method_is_that_of_its_last_phase(method, phase):
    step = Step(Case.make(method, settings()), TINY, tf.distribute.get_strategy())
    assert step.seconds() > 0
    phases = step._model.phases
    assert phase == (None if phases is None else phases.current)


def test_what_was_not_measured_is_a_dash():
    costs = [
        StepCost(Case.make("cross_entropy", settings()), 2.0, 1.0, 0.5),
        StepCost(Case.make("gce", settings()), 3.0, 1.5, 0.5, stall=0.25),
    ]
    lines = table(costs).splitlines()
    assert lines[0].startswith("network mlp, batch_size 6")
    assert lines[3].split() == ["cross_entropy", "2.0", "1.00", "0.5", "s", "-"]
    assert lines[4].split() == ["gce", "3.0", "1.50", "0.5", "s", "25.0%"]
    figure = figures.ratio_bars(bars(costs), "t")
    assert [axes.get_xlabel() for axes in figure.axes] == ["time, ratio to the baseline"]
    assert costs[1].to_json()["memory_ratio"] is None
