"""Event files for TensorBoard, and a disk that does not take them."""

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf


@contextlib.contextmanager
def events(path: Path) -> Iterator[None]:
    """For a block that writes event files into the folder `path`.

    Raises:
        OSError: a file could not be written; TensorFlow's own errors of that kind do not say which
            are the disk's, and a full one would pass for too little memory.
    """
    try:
        yield
    except tf.errors.OpError as error:
        if "events.out" not in error.message:
            raise
        # The first line of several: the file; the system's reason.
        reason = error.message.splitlines()[0].rpartition("; ")[2]
        raise OSError(errno.EIO, reason, str(path)) from error
