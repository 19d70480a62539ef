"""Keeps TensorFlow's start-up lines off the terminal."""

import contextlib
import os
import sys
from collections.abc import Iterator


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
