"""Data that cannot be read any more while a run is using it."""

import contextlib
import re
from collections.abc import Iterator

import tensorflow as tf

from tf_mwn.data.images.decoding import UnreadableImageError

# What tf.data says of an exception inside it: the iterator's name, then the exception.
_CAUSE = re.compile(r"Iterator::\S+: (?:\w+: )?(.+)")


class DataFailedError(RuntimeError):
    """The source of the data failed; the last checkpoint is from before."""


@contextlib.contextmanager
def data_failures() -> Iterator[None]:
    """Raises `DataFailedError` with one sentence where the data, and not a step, fails."""
    try:
        yield
    except UnreadableImageError as error:
        raise DataFailedError(f"the data could not be read: {error}") from error
    except tf.errors.OpError as error:
        cause = _CAUSE.search(error.message)
        if cause is None:
            raise
        raise DataFailedError(f"the data could not be read: {cause[1]}") from error
