"""`tf-mwn` as a user meets it, in a folder that has a module called launch."""

import subprocess
import sys

import pytest

from tests.integration.commands import ROOT, environment
from tf_mwn.launch.console import COMMANDS


@pytest.fixture
def tf_mwn(tmp_path):
    """Runs `tf-mwn` with some words."""
    (tmp_path / "launch.py").write_text("raise SystemExit('not this one')\n")
    path = {"PYTHONPATH": f"{tmp_path}:{ROOT}", "COLUMNS": "80"}
    code = (
        "import sys; from tf_mwn.launch.console import main\n"
        "try:\n    main()\n"
        "finally:\n    print([n for n in sys.modules if n in ('tensorflow', 'keras', 'absl')])"
    )

    def run(*words):
        return subprocess.run(
            [sys.executable, "-c", code, *words],
            cwd=tmp_path,
            env={**environment(), **path},
            capture_output=True,
            text=True,
        )

    return run


def test_help_shows_every_command(tf_mwn):
    done = tf_mwn("--help")
    *lines, loaded = done.stdout.splitlines()
    assert (done.returncode, done.stderr, loaded) == (0, "", "[]")
    assert "  train      Trains the methods of a recipe and compares them." in lines
    assert {line.split()[0] for line in lines if line.startswith("  ")} == set(COMMANDS)


def test_a_command_is_its_launcher_under_its_own_name(tf_mwn):
    text = tf_mwn("reproduce", "--helpfull").stdout
    assert "\n    tf-mwn reproduce --table=3 --scale=cpu\n" in text
    assert "\nFinds the runs of tf-mwn train that a table" in text
    assert "\nFlags of tf-mwn reproduce\n" in text and "launch." not in text
    assert tf_mwn("train", "--method=list").stdout.startswith("cross_entropy: ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trian"], "received 'trian'; did you mean 'train'?"),
        (["train", "--epochs=-1"], "epochs: expected "),
    ],
)
def test_a_mistake_is_one_line(tf_mwn, words, message):
    done = tf_mwn(*words)
    assert done.returncode == 1 and message in done.stderr and done.stderr.count("\n") == 1


def test_every_launcher_has_a_command():
    """A launcher is a module that can be started."""
    launchers = [
        path.stem
        for path in (ROOT / "tf_mwn/launch").glob("*.py")
        if "\n    start(main" in path.read_text()
    ]
    assert sorted(launchers) == sorted(COMMANDS.values())
    assert "tf-mwn = tf_mwn.launch.console:main" in (ROOT / "setup.py").read_text()
