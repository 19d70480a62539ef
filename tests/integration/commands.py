"""Running the command lines as a user does."""

import multiprocessing
import os
import pathlib
import runpy
import subprocess
import sys
import tempfile

import tensorflow as tf

from tf_mwn.messages import quiet_start

ROOT = pathlib.Path(__file__).parent.parent.parent
# A run of seconds: the quick start with a small network and few epochs.
SHORT = ("--network=mlp", "--epochs=3")

# Processes start from one that has imported what takes longest, but nothing of a launcher.
_WARM = multiprocessing.get_context("forkserver")
_WARM.set_forkserver_preload(["tensorflow", "keras", "tf_mwn.runs.session"])


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "launch.main", *arguments]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "2"}


def run(command: list[str], cwd=ROOT) -> subprocess.CompletedProcess:
    """Runs a command to its end."""
    options = {"capture_output": True, "text": True, "timeout": 300}
    return subprocess.run(command, cwd=cwd, env=environment(), **options)


def launch(*arguments: str, module: str = "launch.main", cwd=ROOT) -> subprocess.CompletedProcess:
    """Runs `python -m launch.main` to its end, in a process that need not import TensorFlow."""
    with tempfile.TemporaryDirectory() as folder:
        process = started(*arguments, module=module, cwd=cwd, streams=folder)
        process.join(300)
        process.kill()
        process.join()
        texts = [pathlib.Path(folder, name).read_text() for name in ("out", "err")]
    return subprocess.CompletedProcess(arguments, process.exitcode, *texts)


def started(*arguments: str, module: str = "launch.main", cwd=ROOT, variables=None, streams):
    """The process of such a launch. It writes to the files `out` and `err` of the folder `streams`.

    Its environment has the `variables` too; its `exitcode` is negative after a signal.
    """
    process = _WARM.Process(target=_launch, args=(module, arguments, cwd, variables, streams))
    process.start()
    return process


def _launch(module, arguments, cwd, variables, streams) -> None:
    os.environ.update(variables or {})
    with quiet_start():  # as in a launcher, where the devices are first looked for at an import
        tf.config.list_physical_devices()
    for stream, name in ((sys.stdout, "out"), (sys.stderr, "err")):
        path = os.path.join(streams, name)
        os.dup2(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY), stream.fileno())
    os.chdir(cwd)
    sys.argv[1:] = arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)
