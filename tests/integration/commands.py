"""Running the command lines as a user does."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent.parent
# A run of seconds: the quick start with a small network and few epochs.
SHORT = ("--network=mlp", "--epochs=3")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "launch.main", *arguments]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "2"}


def launch(*arguments: str, cwd=ROOT, **options) -> subprocess.CompletedProcess:
    """Runs `python -m launch.main` to its end."""
    return subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        **options,
    )
