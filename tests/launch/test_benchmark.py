"""`python -m launch.benchmark`: memory, and mistakes. No time is asserted."""

import json
import subprocess
import sys

import pytest


def launch(*arguments):
    """The launcher in a process of its own: it divides the CPU, and its flags are those of runs."""
    command = [sys.executable, "-m", "launch.benchmark", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_the_launcher_with_memory(tmp_path):
    done = launch(
        *("--network=mlp", "--batch_size=6", "--image_size=8", "--num_classes=3"),
        *("--method=cross_entropy", "--rounds=1", "--nostall", "--memory"),
        *(f"--output={tmp_path}/rows.json", f"--figure={tmp_path}/ratios.png"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    keras, plain = json.loads((tmp_path / "rows.json").read_text())
    assert [row["method"] for row in (keras, plain)] == ["keras", "cross_entropy"]
    assert keras["keras_ratio"] == keras["memory_ratio"] == plain["ratio"] == 1
    assert plain["memory_ratio"] == plain["megabytes"] / keras["megabytes"] > 0
    assert plain["stall"] is None
    assert (tmp_path / "ratios.png").read_bytes().startswith(b"\x89PNG")
    assert "cross_entropy: first step" in done.stdout and "x Keras" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method=meta_weight"], "did you mean 'meta_weight_net'"),
        (["--method="], "method: expected at least one"),
        (["--network=resnet33"], "did you mean 'resnet32'"),
        (["--batch_size=many"], "batch_size: expected integers, received 'many'"),
        (["--meta_batch_size=twice"], "meta_batch_size: expected integers, same or half"),
        (["--meta_interval=-1"], "meta_interval: expected a value in [0, inf)"),
        (["--virtual_variables=tail"], "virtual_variables: expected one of"),
        (["--precision="], "precision: expected at least one value"),
        (["--suite=readme", "--method=gce"], "method: expected no such flag with --suite"),
        (["--output=missing/rows.json"], "output: expected a file in a folder"),
        (["--peer="], "peer: expected a command, received ''"),
        (["--peer=nosuchcommand 1"], "peer: expected a command, received 'nosuchcommand 1'"),
    ],
)
def test_mistakes_before_anything_is_loaded(arguments, message):
    done = launch(*arguments)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert message in done.stderr
