"""Trains the methods of a recipe and compares them: `python -m launch.main [--flags]`."""

from absl import app, flags

from launch import flags as launch_flags
from launch.command_line import mistakes, parse, quiet_start, work
from tf_mwn.messages import logger
from tf_mwn.recipes import listing

flags.adopt_module_key_flags(launch_flags)


def main(argv: list[str]) -> None:
    del argv
    if launch_flags.RECIPE.value == "list":
        print(listing.recipes())
    elif launch_flags.METHOD.value == ["list"]:
        print(listing.methods())
    else:
        work(_prepare().execute)


def _prepare():
    """The session that the flags ask for, every setting checked and nothing written."""
    with mistakes():
        experiment = launch_flags.experiment()
        logger.info(listing.experiment(experiment))
        with quiet_start():
            from tf_mwn.runs.devices import configure_devices
            from tf_mwn.runs.session import Session

            strategy = configure_devices(experiment.config, many_machines=True)
        return Session.prepare(
            experiment,
            strategy,
            *launch_flags.places(),
        )


if __name__ == "__main__":
    app.run(main, flags_parser=parse)
