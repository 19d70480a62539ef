"""Keys by which equal rows of inputs are found. Importing it does not load TensorFlow."""

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np


def row_keys(x: Any) -> np.ndarray:
    """A key of 16 bytes for each row, [N]: equal for rows of equal content, whatever the type.

    Numbers are compared in single precision, integers exactly.

    Args:
        x: an array of numbers or of text, or a tuple or dict of such arrays, of N rows.
    """
    import tensorflow as tf

    parts = [array_bytes(np.asarray(part)) for part in tf.nest.flatten(x)]
    return digests(map(b"\0".join, zip(*parts, strict=True)))


def array_bytes(part: np.ndarray) -> Iterable[bytes]:
    """The content of each row of an array [N, ...] of numbers or of text."""
    if part.dtype.kind in "OSU":
        rows = part.reshape(len(part), -1).tolist()
        return (b"\0".join(map(_encoded, row)) for row in rows)
    return map(_number_bytes, part)


def digests(texts: Iterable[bytes]) -> np.ndarray:
    """A key of 16 bytes for each text, [N]."""
    # As void, for numpy drops zeros at the end of byte strings.
    keys = b"".join(hashlib.blake2b(text, digest_size=16).digest() for text in texts)
    return np.frombuffer(keys, "V16")


def _encoded(text: Any) -> bytes:
    return text if isinstance(text, bytes) else str(text).encode()


def _number_bytes(row: np.ndarray) -> bytes:
    # One row at a time, for in double precision the whole may be eight times as large.
    if row.dtype.kind == "f":
        row = row.astype(np.float32)
    return (row.astype(np.float64) + 0.0).tobytes()  # + 0.0 turns -0.0 into 0.0
