"""Messages about a run at work: lines of the logger "tf_mwn", which launchers print.

Results and errors are not messages. In library use nothing is printed unless
`logging.getLogger("tf_mwn")` is configured to print.
"""

import contextlib
import gc
import logging
import os
import sys
import time
from collections.abc import Iterator

logger = logging.getLogger("tf_mwn")
# A step that takes at least this many seconds has a message of level INFO.
_LONG = 0.5


class _Printer(logging.Handler):
    """Prints the message alone to the current stdout, which a progress bar may have replaced."""

    def emit(self, record):
        print(self.format(record), flush=True)


def show(verbosity: int) -> None:
    """Prints messages: none at -1, those of level INFO at 0, all from 1 on."""
    logger.setLevel({-1: logging.CRITICAL, 0: logging.INFO}.get(max(-1, verbosity), logging.DEBUG))
    logger.propagate = False
    if not any(isinstance(handler, _Printer) for handler in logger.handlers):
        logger.addHandler(_Printer())


def duration(seconds: float) -> str:
    """Seconds as text, in a unit that fits."""
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} seconds"


@contextlib.contextmanager
def long_step(what: str) -> Iterator[None]:
    """Reports the duration of the block in seconds at its end.

    The report of a short block, and the beginning of any, has the level DEBUG.
    """
    logger.debug("%s ...", what)
    start = time.perf_counter()
    yield
    report_time(what, time.perf_counter() - start)


def report_time(what: str, seconds: float) -> None:
    """Reports that a step took so many seconds."""
    logger.log(logging.INFO if seconds >= _LONG else logging.DEBUG, "%s: %.1f s", what, seconds)


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Discards what C++ code writes to stderr while TensorFlow starts, and collects no garbage.

    The start-up lines would hide the one line about a mistake. No setting silences the lines that
    are written before TensorFlow sets up its logging. Python's exceptions are not affected.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        with _uncollected():
            yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Leaves what is imported in the block out of garbage collections, once in a process.

    Modules stay until the process ends, and collections would look through all their objects. What
    that costs: docs/performance.md.
    """
    if gc.get_freeze_count() or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
