"""The console command: `tf-mwn train` is `python -m launch.main`, and so on."""

import ast
import importlib.util
import os
import pathlib
import runpy
import sys

import tf_mwn
from tf_mwn.checks import check_name

# The launcher of each command.
COMMANDS = {
    "train": "main",
    "audit": "audit",
    "predict": "predict",
    "evaluate": "evaluate",
    "tune": "tune",
    "reproduce": "reproduce",
    "study": "study",
    "benchmark": "benchmark",
}


def main() -> None:
    """Runs the command that `sys.argv` names as its launcher would be run by `python -m`."""
    command, *arguments = sys.argv[1:] or ["--help"]
    if command in ("--help", "-h", "help"):
        print(_help())
    elif command == "--version":
        print(f"tf_mwn {tf_mwn.__version__}")
    else:
        _run(command, arguments)


def _run(command: str, arguments: list[str]) -> None:
    from tf_mwn.launch import command_line, help

    with command_line.mistakes():
        check_name("command", command, COMMANDS)
    help.spelling.update({module: f"tf-mwn {name}" for name, module in COMMANDS.items()})
    if not sys.flags.safe_path:
        sys.path.insert(0, os.getcwd())  # as `python -m` does, for --network=mine:network
    sys.argv = ["", *arguments]
    runpy.run_module(f"tf_mwn.launch.{COMMANDS[command]}", run_name="__main__", alter_sys=True)


def _help() -> str:
    """The commands with the first line of their launchers' docstrings, which are not imported."""
    lines = [f"  {name:<11}{_summary(module)}" for name, module in COMMANDS.items()]
    return "\n".join(
        [
            "Robust deep learning by meta-learning.",
            "",
            "tf-mwn COMMAND [FLAGS]",
            "",
            *lines,
            "",
            "tf-mwn COMMAND --help shows the flags of a command, tf-mwn --version the version.",
        ]
    )


def _summary(module: str) -> str:
    spec = importlib.util.find_spec(f"tf_mwn.launch.{module}")
    text = ast.get_docstring(ast.parse(pathlib.Path(spec.origin).read_text()))
    return text.partition("\n")[0]
