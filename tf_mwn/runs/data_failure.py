"""Failures to read the data of a run while it trains."""

import contextlib
import re
from collections.abc import Iterator

import tensorflow as tf

from tf_mwn.data.images.decoding import UnreadableImageError

# How tf.data reports an exception inside it: the name of the iterator, then the exception.
_CAUSE = re.compile(r"Iterator::\S+: (?:\w+: )?(.+)")


class DataFailedError(RuntimeError):
    """The data could not be read. The last checkpoint is from before the failure."""


@contextlib.contextmanager
def data_failures() -> Iterator[None]:
    """Raises `DataFailedError` with one sentence if reading the data fails, not a step."""
    try:
        yield
    except UnreadableImageError as error:
        raise DataFailedError(f"the data could not be read: {error}") from error
    except tf.errors.OpError as error:
        cause = _CAUSE.search(error.message)
        if cause is None:
            raise
        raise DataFailedError(f"the data could not be read: {cause[1]}") from error
