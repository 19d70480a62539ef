"""Every command and code block of the README runs."""

import os
import re
import shlex
import subprocess

import numpy as np
import pytest

from tests.integration.commands import ROOT, environment, launch

TEXT = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
SHELL = [
    line.split(" #")[0].strip()
    for language, block in BLOCKS
    if language == "sh"
    for line in block.splitlines()
    if line.strip()
]
LAUNCHES = sorted({line for line in SHELL if line.startswith("python -m launch.main")})
DATA_DIR = os.environ.get("TF_MWN_DATA_DIR", "../shared/data/tensorflow_datasets")
# Enough to go through every stage of a run.
QUICK = ("--epochs=1", "--train_size=300")


@pytest.mark.parametrize("code", [b for language, b in BLOCKS if language == "python"])
def test_python_block_runs(code):
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102


@pytest.mark.parametrize("line", LAUNCHES)
def test_launch_command_runs(line, tmp_path):
    if "$TFDS_DATA_DIR" in line and not (ROOT / DATA_DIR).is_dir():
        pytest.skip(f"no prepared data sets in {DATA_DIR}; set TF_MWN_DATA_DIR")
    line = line.replace("$TFDS_DATA_DIR", str((ROOT / DATA_DIR).resolve()))
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 600)
    np.savez(tmp_path / "mine.npz", x=rng.normal(size=(600, 5)) + y[:, None], y=y)
    words = shlex.split(line)[3:]
    if not any("list" in word for word in words):
        given = {word.split("=")[0] for word in words}
        words = [w for w in words if not w.startswith("--epochs")] + list(QUICK)
        assert given <= {word.split("=")[0] for word in words} | {"--epochs"}
    done = launch(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_make_targets_exist():
    targets = {line.split()[1] for line in SHELL if line.startswith("make")}
    targets |= set(re.findall(r"`make (\w+)`", TEXT))
    assert targets == {"demo", "test"}
    for target in targets:
        done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_pip_extras_exist():
    setup = (ROOT / "setup.py").read_text()
    for extra in set(re.findall(r"'\.\[(\w+)\]'", TEXT)):
        assert f'"{extra}": [' in setup


def test_every_flag_that_the_text_names_exists():
    from absl import flags

    from launch import benchmark, main  # noqa: F401 they define the flags

    for name in set(re.findall(r"--(\w+)[=`\s|]", TEXT)) - {"no", "upgrade", "logdir", "flagfile"}:
        assert name in flags.FLAGS, name


def test_every_recipe_is_in_the_table():
    from tf_mwn.experiments.recipes import RECIPES

    for name in RECIPES:
        assert f"| `{name}` |" in TEXT, name


def test_commands_have_an_environment():
    assert "PYTHONPATH" in environment()
