"""Trains the methods of a recipe and compares them: `python -m launch.main [--flags]`."""

import logging
import sys

from absl import app, flags
from absl import logging as absl_logging

from launch import flags as launch_flags
from launch.quiet import quiet_start
from tf_mwn.experiments import listing

flags.adopt_module_key_flags(launch_flags)


def main(argv: list[str]) -> None:
    absl_logging.set_verbosity(absl_logging.ERROR)  # a mistake is one line, ours
    if len(argv) > 1:
        launch_flags.fail(f"expected flags only, received the argument {argv[1]!r}")
    if launch_flags.RECIPE.value == "list":
        print(listing.recipes())
        return
    if launch_flags.METHOD.value == ["list"]:
        print(listing.methods())
        return
    try:
        experiment = launch_flags.experiment()
        print(listing.experiment(experiment), flush=True)
        session = _prepare(experiment)
    except (ValueError, TypeError, OSError, ImportError) as error:
        launch_flags.fail(_one_line(error))
    _run(session)


def _prepare(experiment):
    with quiet_start():
        from tf_mwn.experiments.session import Session, configure_devices

        strategy = configure_devices(experiment.config)

    return Session.prepare(
        experiment,
        strategy,
        launch_flags.WORKDIR.value,
        launch_flags.DATA_DIR.value,
        launch_flags.DOWNLOAD.value,
    )


def _run(session) -> None:
    from tf_mwn.experiments.run_folder import FolderConflictError
    from tf_mwn.monitoring.callbacks import NonFiniteLossError

    try:
        session.execute()
    except FolderConflictError as error:
        launch_flags.fail(_one_line(error))
    except NonFiniteLossError as error:
        launch_flags.fail(_one_line(error), code=2)
    except KeyboardInterrupt:
        launch_flags.fail("interrupted; the same command goes on where it stopped", code=2)
    except Exception as error:  # noqa: BLE001 a failed run: the traceback, and exit code 2
        logging.exception("the run failed")
        launch_flags.fail(f"the run failed: {_one_line(error)}", code=2)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def run() -> None:
    """The entry point."""
    app.run(main, flags_parser=launch_flags.parse)


if __name__ == "__main__":
    sys.exit(run())
