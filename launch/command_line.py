"""What every launcher does around its work: parse, fail in one line, start quietly."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from absl import flags, logging

from tf_mwn import messages
from tf_mwn.messages import quiet_start as quiet_start

flags.FLAGS.set_default("verbosity", 0)
flags.FLAGS["verbosity"].help = (
    "-1: results and errors alone; 0: and what is going on; 1: and every epoch and long step, and "
    "what other packages say."
)

_INTERRUPTED = "interrupted; the same command goes on where it stopped"


def parse(argv: list[str]) -> list[str]:
    """Parses the command line; a mistake is one line on stderr and exit code 1."""
    try:
        rest = flags.FLAGS(argv)
        verbosity = flags.FLAGS.verbosity if flags.FLAGS["verbosity"].present else 0
        messages.show(verbosity)
        # Other packages' notes would bury ours.
        logging.set_verbosity(logging.INFO if verbosity > 0 else logging.ERROR)
    except flags.Error as error:
        fail(str(error).splitlines()[0])
    except SystemExit:
        sys.exit(0)  # --help and its kin, for which absl exits with 1
    if len(rest) > 1:
        fail(f"expected flags only, received the argument {rest[1]!r}")
    return rest


def fail(problem: BaseException | str, code: int = 1) -> NoReturn:
    """Ends the program with one line on stderr."""
    reason = _reason(problem) if isinstance(problem, OSError) else str(problem)
    text = " ".join(reason.split()) or type(problem).__name__
    print(f"error: {text}", file=sys.stderr)
    sys.exit(code)


@contextlib.contextmanager
def mistakes() -> Iterator[None]:
    """What is refused within is the user's mistake: one line on stderr and exit code 1.

    Ctrl-C is one line too, and exit code 2.
    """
    try:
        yield
    except KeyboardInterrupt:
        fail(_INTERRUPTED, code=2)
    except (ValueError, TypeError, OSError, ImportError) as error:
        fail(error)


def work(action: Callable[[], Any]) -> Any:
    """Trains, by `action`; whatever ends that early is one line that says what to do.

    Exit code 1: what is asked for cannot be had. 2: training failed. 143: SIGTERM.
    """
    from tf_mwn.monitoring.callbacks import NonFiniteLossError
    from tf_mwn.runs.data_failure import DataFailedError
    from tf_mwn.runs.devices import LostWorkerError
    from tf_mwn.runs.run_folder import FolderConflictError
    from tf_mwn.runs.termination import Terminated

    again = "then the same command goes on from the last checkpoint"
    try:
        return action()
    except FolderConflictError as error:
        fail(error)
    except (NonFiniteLossError, LostWorkerError) as error:
        fail(error, code=2)
    except DataFailedError as error:
        fail(f"{error}; put it right, {again}", code=2)
    except OSError as error:
        fail(f"{_reason(error)}; put it right, {again}", code=2)
    except Terminated as error:
        fail(error, code=143)
    except KeyboardInterrupt:
        fail(_INTERRUPTED, code=2)
    except Exception as error:
        logging.exception("the run failed")  # not a user's mistake: show where
        fail(error, code=2)


def _reason(error: OSError) -> str:
    if error.strerror is None or error.filename is None:
        return str(error)
    return f"{error.filename}: {error.strerror}"
