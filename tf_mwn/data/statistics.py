"""Mean, standard deviation and fingerprint of arrays in memory."""

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from tf_mwn.data.images.files import ImageFiles

_CHUNK = 4096  # rows turned into float64 at a time: 100 MB of 32x32x3 images
_CONSTANT = 1e-12  # a smaller relative deviation is the rounding of a constant
STREAMED_SAMPLE = 1000  # images that stand for all of a streamed set


def mean_and_std(x: Any) -> tuple[np.ndarray, np.ndarray]:
    """Returns mean and standard deviation over all axes but the last.

    Args:
        x: [N, H, W, C] images or [N, D] features. From images in files, only `STREAMED_SAMPLE`
            evenly spaced ones are read.

    Returns:
        Two float32 arrays [C] or [D]; a standard deviation of 0 becomes 1.
    """
    if isinstance(x, ImageFiles):
        rows = np.linspace(0, len(x) - 1, min(len(x), STREAMED_SAMPLE)).astype(int)
        x = np.asarray(x[rows])
    flat = x.reshape(-1, x.shape[-1])
    rows = _CHUNK * max(1, flat.shape[0] // x.shape[0])

    def average(function):
        parts = (flat[start : start + rows] for start in range(0, len(flat), rows))
        return sum(function(part.astype(np.float64)).sum(axis=0) for part in parts) / len(flat)

    mean = average(lambda part: part)
    # A second pass: the difference of E[x^2] and E[x]^2 loses digits where the mean is large.
    std = np.sqrt(average(lambda part: np.square(part - mean)))
    std = np.where(std > _CONSTANT * np.abs(mean), std, 1.0)
    return mean.astype(np.float32), std.astype(np.float32)


def fingerprint(arrays: Iterable[Any]) -> str:
    """Returns the SHA-256 of arrays with their types and shapes; None marks an absent array.

    Images in files enter by their names and sizes, not by their pixels.
    """
    digest = hashlib.sha256()
    for array in arrays:
        if array is None:
            digest.update(b"none")
            continue
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        array = array.key if isinstance(array, ImageFiles) else array
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
