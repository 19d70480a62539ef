"""A finished run of seconds for the launchers that work on one, and how to call them."""

import pytest
from absl import flags
from absl.testing import flagsaver

from tf_mwn.launch.command_line import parse
from tf_mwn.recipes.experiment import resolve
from tf_mwn.runs.devices import configure_devices
from tf_mwn.runs.session import Session

SETTINGS = {
    "network": "mlp",
    "epochs": 3,
    "train_size": 400,
    "deterministic": False,
}


def train(workdir, methods=("meta_weight_net", "cross_entropy"), **settings):
    """Trains each method on the digits; the run folders."""
    experiment = resolve("quickstart", {**SETTINGS, **settings}, methods)
    strategy = configure_devices(experiment.config)
    session = Session.prepare(experiment, strategy, str(workdir))
    session.execute()
    return [run.folder.path for run in session.runs()]


def call(main, *arguments):
    """Runs a launcher in this process."""
    with flagsaver.flagsaver():
        main(parse(["launch", *map(str, arguments)]))
    flags.FLAGS.unparse_flags()


def mistake(capsys, main, *arguments):
    """The one line that a launcher ends with, at a user's mistake."""
    with pytest.raises(SystemExit) as stopped:
        call(main, *arguments)
    assert stopped.value.code == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith("error: "), error
    return error
