"""Sequences of token numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

TOKENS = "tokens"  # name of the array, or of the column
PADDING = 0
_MOST = 2**24  # float32, in which batches are, counts up to it


def padded(path: str, texts: Sequence[str], first: int = 0) -> np.ndarray:
    """Sequences such as "12 7 903" as float32 [N, longest], with `PADDING` at the end.

    Args:
        path: the file, for messages.
        texts: token numbers with blanks between, at least one each.
        first: row of the first one in the file.

    Raises:
        ValueError: a token that is no integer from 1.
    """
    rows = []
    for row, text in enumerate(texts, start=first):
        tokens = text.split()
        if not tokens or not all(token.isdecimal() and int(token) > PADDING for token in tokens):
            raise ValueError(
                f"dataset: expected tokens, integers from 1 with blanks between, in {path}, "
                f"received {text!r} in row {row}"
            )
        rows.append(np.array(tokens, np.int64))
    array = np.full((len(rows), max(map(len, rows))), PADDING, np.int64)
    for row, tokens in enumerate(rows):
        array[row, : len(tokens)] = tokens
    return checked("tokens", array)


def checked(what: str, tokens: Any) -> np.ndarray:
    """Token numbers [N, L] as float32, which holds them exactly.

    Raises:
        TypeError: no integers.
        ValueError: another shape, or numbers outside 0 to 2^24.
    """
    tokens = np.asarray(tokens)
    if tokens.dtype.kind not in "iu":
        raise TypeError(f"{what}: expected integers [N, L], received an array of {tokens.dtype}")
    if tokens.ndim != 2 or not tokens.size:
        raise ValueError(f"{what}: expected integers [N, L], received shape {list(tokens.shape)}")
    if tokens.min() < PADDING or tokens.max() > _MOST:
        wrong = tokens.min() if tokens.min() < PADDING else tokens.max()
        raise ValueError(f"{what}: expected integers in [0, 2^24], received {wrong}")
    return tokens.astype(np.float32)


def of_length(what: str, tokens: np.ndarray, length: int) -> np.ndarray:
    """Sequences [N, L] as [N, length]: padding is added, or left out, at the end.

    Raises:
        ValueError: a longer sequence.
    """
    used = np.flatnonzero((tokens != PADDING).any(axis=0))
    longest = 0 if not used.size else int(used[-1]) + 1
    if longest > length:
        raise ValueError(
            f"{what}: expected sequences of at most {length} tokens, as in the training data, "
            f"received one of {longest}"
        )
    more = max(0, length - tokens.shape[1])
    return np.pad(tokens[:, :length], ((0, 0), (0, more)), constant_values=PADDING)


def vocabulary(*arrays: np.ndarray | None) -> int:
    """The size of a vocabulary that holds the tokens of all arrays: the largest number, plus 1."""
    return 1 + int(max(array.max() for array in arrays if array is not None))
