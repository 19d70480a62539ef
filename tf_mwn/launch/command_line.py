"""The frame of every launcher: it parses flags, shows help, and fails with one line."""

import contextlib
import functools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

from absl import app, flags, logging

from tf_mwn import messages
from tf_mwn.files import FolderConflictError
from tf_mwn.launch import help as flag_help
from tf_mwn.recipes import listing

flags.FLAGS.set_default("verbosity", 0)
flags.FLAGS["verbosity"].help = (
    "How much is printed. -1: only results and errors. 0: also progress. 1: also every epoch, "
    "every long step and the messages of other packages."
)

_INTERRUPTED = "interrupted; the same command continues where it stopped"


class Path(flags.ArgumentParser):
    """A path, in which `~` is expanded: the shell does not expand it after an equals sign."""

    def parse(self, argument):
        return argument and os.path.expanduser(argument)

    def flag_type(self):
        return "string"


def start(main: Callable[[list[str]], None], operands: bool = False) -> None:
    """Runs a launcher. It is not an error if the reader of the output stops, such as `head`.

    Args:
        main: takes `argv`, without the flags.
        operands: whether the launcher takes arguments that are no flags.
    """
    try:
        app.run(main, flags_parser=functools.partial(parse, operands=operands))
    except BrokenPipeError:
        pass
    finally:
        try:
            sys.stdout.flush()
        except BrokenPipeError:  # discard the rest, or Python would complain at its end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def parse(argv: list[str], operands: bool = False) -> list[str]:
    """Parses the command line. If it asks for help, shows the help and exits with 0.

    A user's mistake ends the program with one line on stderr and exit code 1.
    """
    try:
        rest = flags.FLAGS(argv)
    except flags.Error as error:
        fail(str(error).splitlines()[0])
    except SystemExit:
        sys.exit(0)  # absl's --helpxml exits with 1
    if flag_help.wanted():
        with mistakes():
            text = flag_help.page(argv[0])
        print(text)
        sys.exit(0)
    if len(rest) > 1 and not operands:
        fail(f"expected flags only, received the argument {rest[1]!r}")
    _set_verbosity()
    return rest


def _set_verbosity() -> None:
    verbosity = flags.FLAGS.verbosity if flags.FLAGS["verbosity"].present else 0
    messages.show(verbosity)
    # Messages of other packages would hide ours.
    logging.set_verbosity(logging.INFO if verbosity > 0 else logging.ERROR)


def listed(methods: Sequence[str] | None, recipe: str | None = None) -> bool:
    """Prints the list that --recipe=list or --method=list asks for; False if neither does."""
    if recipe != "list" and methods != ["list"]:
        return False
    print(listing.recipes() if recipe == "list" else listing.methods())
    return True


def fail(problem: BaseException | str, code: int = 1) -> NoReturn:
    """Ends the program with one line on stderr."""
    reason = _reason(problem) if isinstance(problem, OSError) else str(problem)
    text = " ".join(reason.split()) or type(problem).__name__
    print(f"error: {text}", file=sys.stderr)
    sys.exit(code)


@contextlib.contextmanager
def mistakes() -> Iterator[None]:
    """Treats an error in the block as a user's mistake: one line on stderr and exit code 1.

    Ctrl-C gives one line too, with exit code 2. If nobody reads the output, the program ends
    without a line and with exit code 141, that of a program ended by SIGPIPE.
    """
    try:
        yield
    except KeyboardInterrupt:
        fail(_INTERRUPTED, code=2)
    except BrokenPipeError:
        sys.exit(141)
    except (ValueError, TypeError, OSError, ImportError) as error:
        fail(error)


def work(action: Callable[[], Any]) -> Any:
    """Returns the result of `action`, a training. A failure is one line that says what to do.

    Exit codes: 1 if the folder holds another run, 2 if training failed, 143 after SIGTERM.
    """
    from tf_mwn.monitoring.callbacks import NonFiniteLossError
    from tf_mwn.runs.data_failure import DataFailedError
    from tf_mwn.runs.devices import LostWorkerError
    from tf_mwn.runs.termination import Terminated

    again = "then the same command continues from the last checkpoint"
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
