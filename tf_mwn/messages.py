"""What a run says while it works: lines of the logger "tf_mwn", which launchers print.

Results and errors do not go this way. In library use nothing is printed unless
`logging.getLogger("tf_mwn")` is told to.
"""

import contextlib
import logging
import os
import sys
import time
from collections.abc import Iterator

logger = logging.getLogger("tf_mwn")
# Seconds from which on a step is worth a line.
_LONG = 0.5


class _Printer(logging.Handler):
    """Prints the bare message to whatever stdout is now: a progress bar stands in for it."""

    def emit(self, record):
        print(self.format(record), flush=True)


def show(verbosity: int) -> None:
    """Prints messages: none at -1, what a user wants to know at 0, all from 1 on."""
    logger.setLevel({-1: logging.CRITICAL, 0: logging.INFO}.get(max(-1, verbosity), logging.DEBUG))
    logger.propagate = False
    if not any(isinstance(handler, _Printer) for handler in logger.handlers):
        logger.addHandler(_Printer())


@contextlib.contextmanager
def long_step(what: str) -> Iterator[None]:
    """Says, when the block has ended, what it did and how many seconds that took.

    A short one, and the beginning of any, is a message of level DEBUG.
    """
    logger.debug("%s ...", what)
    start = time.perf_counter()
    yield
    report_time(what, time.perf_counter() - start)


def report_time(what: str, seconds: float) -> None:
    """The line with which a step of so many seconds ends."""
    logger.log(logging.INFO if seconds >= _LONG else logging.DEBUG, "%s: %.1f s", what, seconds)


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
