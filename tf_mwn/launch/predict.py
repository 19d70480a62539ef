"""Predicts the classes of your files with a finished run, as CSV.

FILES are images (JPEG, PNG), folders with images, CSV files with a column path, and .npz files with
an array x. They are prepared as the run's own data were.

    python -m launch.predict --run=runs/flowers/robust/seed0 a.jpg more/
    python -m launch.predict --run=DIR --top_k=3 --output=found.csv new.npz
"""

import contextlib
import csv
import os
import sys

from absl import flags

from tf_mwn import messages
from tf_mwn.files import Folder, check_output
from tf_mwn.launch import run_flags
from tf_mwn.launch.command_line import Path, fail, mistakes, start

flags.adopt_module_key_flags(run_flags)
_TOP_K = flags.DEFINE_integer("top_k", 1, "Number of the likeliest classes to list.", 1)
_PROBABILITIES = flags.DEFINE_bool(
    "probabilities", True, "Write a column with the probability of each class."
)
_OUTPUT = flags.DEFINE(Path(), "output", None, "CSV file to write. By default stdout.")


def main(argv: list[str]) -> None:
    files = [os.path.expanduser(path) for path in argv[1:]]
    if not files:
        fail("files: expected images, folders, CSV or .npz files after the flags, received none")
    if _OUTPUT.value:
        with mistakes():
            check_output(_OUTPUT.name, _OUTPUT.value)
        header, rows = _table(files)
        folder, name = os.path.split(_OUTPUT.value)
        with mistakes():
            Folder(folder or os.curdir).write_csv(name, header, rows)
        print(_OUTPUT.value)
        return
    if not flags.FLAGS["verbosity"].present:
        messages.show(-1)
    with contextlib.redirect_stdout(sys.stderr):  # stdout is for the table
        header, rows = _table(files)
    with mistakes():
        sys.stdout.reconfigure(errors="surrogateescape")  # paths may hold any bytes
        csv.writer(sys.stdout, lineterminator="\n").writerows([header, *rows])


def _table(files: list[str]):
    """The header and the rows of the predictions. A user's mistake ends the program."""
    run = run_flags.load_run()
    from tf_mwn.runs import predict

    with mistakes():
        inputs = predict.inputs_of(run, files)
        return predict.table(run, inputs, _TOP_K.value, _PROBABILITIES.value)


if __name__ == "__main__":
    start(main, operands=True)
