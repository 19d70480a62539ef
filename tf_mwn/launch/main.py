"""Trains the methods of a recipe and compares them.

A run goes to the folder WORKDIR/<recipe>/<method>/seed<k>. The same command continues a run that
was stopped, and reports one that is finished.

    python -m launch.main
    python -m launch.main --recipe=fashion_flip2_40 --method=gce --seed=0,1,2
    python -m launch.main --dataset=photos --meta=checked
"""

from absl import flags

from tf_mwn.launch import data_flags
from tf_mwn.launch import flags as launch_flags
from tf_mwn.launch.command_line import listed, mistakes, start, work
from tf_mwn.messages import logger, quiet_start
from tf_mwn.recipes import listing

flags.adopt_module_key_flags(launch_flags)


def main(argv: list[str]) -> None:
    del argv
    if not listed(launch_flags.METHOD.value, launch_flags.RECIPE.value):
        work(_prepare().execute)


def _prepare():
    """The session that the flags describe, checked. Nothing is written."""
    with mistakes():
        experiment = launch_flags.experiment()
        logger.info(listing.experiment(experiment))
        with quiet_start():
            from tf_mwn.runs.devices import configure_devices
            from tf_mwn.runs.session import Session

            strategy = configure_devices(experiment.config, many_machines=True)
        workdir, location = launch_flags.WORKDIR.value, data_flags.location()
        return Session.prepare(experiment, strategy, workdir, location)


if __name__ == "__main__":
    start(main)
