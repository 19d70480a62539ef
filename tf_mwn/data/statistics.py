"""Mean, standard deviation and fingerprint of arrays in memory."""

import hashlib
from collections.abc import Iterable

import numpy as np

_CHUNK = 4096  # rows turned into float64 at a time: 100 MB of 32x32x3 images


def mean_and_std(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns mean and standard deviation over all axes but the last.

    Args:
        x: [N, H, W, C] images or [N, D] features.

    Returns:
        Two float32 arrays [C] or [D]; a standard deviation of 0 becomes 1.
    """
    flat = x.reshape(-1, x.shape[-1])
    rows = _CHUNK * max(1, flat.shape[0] // x.shape[0])

    def average(function):
        parts = (flat[start : start + rows] for start in range(0, len(flat), rows))
        return sum(function(part.astype(np.float64)).sum(axis=0) for part in parts) / len(flat)

    mean = average(lambda part: part)
    # A second pass: the difference of E[x^2] and E[x]^2 loses digits where the mean is large.
    std = np.sqrt(average(lambda part: np.square(part - mean)))
    return mean.astype(np.float32), np.where(std > 0, std, 1.0).astype(np.float32)


def fingerprint(arrays: Iterable[np.ndarray | None]) -> str:
    """Returns the SHA-256 of arrays, their types and shapes, and the places of the absent ones."""
    digest = hashlib.sha256()
    for array in arrays:
        if array is None:
            digest.update(b"none")
            continue
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
