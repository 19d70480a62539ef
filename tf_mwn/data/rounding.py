"""Whole counts from exact shares."""

import numpy as np


def largest_remainder(
    shares: np.ndarray, total: int, tie_break: np.ndarray | None = None
) -> np.ndarray:
    """Rounds shares to counts of a given sum: down first, then up where most was lost.

    Args:
        shares: [C] exact shares, 0 or more, with the sum `total`.
        total: sum of the counts.
        tie_break: [C] keys that order equal remainders, the smallest first; None takes positions.

    Returns:
        [C] int64 counts; a share of 0 stays 0.
    """
    shares = np.asarray(shares, np.float64)
    # A product that is a whole number must not fall below it by rounding.
    counts = np.floor(shares + 1e-9).astype(np.int64)
    lost = np.round(shares - counts, 9)
    keys = np.arange(len(shares)) if tie_break is None else tie_break
    counts[np.lexsort((keys, -lost))[: total - counts.sum()]] += 1
    return counts
