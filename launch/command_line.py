"""What every launcher does around its work: parse, fail in one line, start quietly."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import NoReturn

from absl import flags, logging


def parse(argv: list[str]) -> list[str]:
    """Parses the command line; a mistake is one line on stderr and exit code 1."""
    logging.set_verbosity(logging.ERROR)  # other packages' notes would bury ours
    try:
        rest = flags.FLAGS(argv)
    except flags.Error as error:
        fail(str(error).splitlines()[0])
    except SystemExit:
        sys.exit(0)  # --help and its kin, for which absl exits with 1
    if len(rest) > 1:
        fail(f"expected flags only, received the argument {rest[1]!r}")
    return rest


def fail(problem: BaseException | str, code: int = 1) -> NoReturn:
    """Ends the program with one line on stderr."""
    text = " ".join(str(problem).split()) or type(problem).__name__
    print(f"error: {text}", file=sys.stderr)
    sys.exit(code)


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Sends what C++ writes to stderr nowhere, while TensorFlow starts.

    Its start-up lines would bury a mistake's one line, and no setting silences those written
    before its logging is set up. Python's own errors pass: they are raised, not printed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)
