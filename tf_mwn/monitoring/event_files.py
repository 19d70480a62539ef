"""Event files for TensorBoard, and failures to write them."""

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf


@contextlib.contextmanager
def events(path: Path) -> Iterator[None]:
    """Makes a failure to write event files to the folder `path` an `OSError`.

    TensorFlow reports a full disk by the same error as a lack of memory.

    Raises:
        OSError: a file could not be written in the block.
    """
    try:
        yield
    except tf.errors.OpError as error:
        if "events.out" not in error.message:
            raise
        # The first line names the file, then "; " and the reason that the system gives.
        reason = error.message.splitlines()[0].rpartition("; ")[2]
        raise OSError(errno.EIO, reason, str(path)) from error
