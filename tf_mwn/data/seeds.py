"""Random generators for the parts of a data protocol, one per purpose."""

import zlib

import numpy as np

from tf_mwn.checks import check_count


def generator(seed: int, purpose: str) -> np.random.Generator:
    """Returns the generator of one purpose, independent of every other purpose's.

    The same (seed, purpose) gives the same stream on every machine. The purpose enters by its
    CRC-32, because Python's own `hash` of a string changes from process to process.

    Args:
        seed: the run's seed, 0 or more.
        purpose: what is drawn, for example "noise".

    Raises:
        TypeError: the seed is no integer.
        ValueError: the seed is negative.
    """
    seed = check_count("seed", seed, 0)
    sequence = np.random.SeedSequence([seed, zlib.crc32(purpose.encode())])
    return np.random.Generator(np.random.PCG64(sequence))


def random_order(size: int, rng: np.random.Generator) -> np.ndarray:
    """Returns a random order of `range(size)`, int64 [size].

    NumPy may change what `permutation` and `choice` draw between versions, whereas `random` is one
    plain conversion of the bit stream; hence uniform keys and a stable sort.
    """
    return np.argsort(rng.random(size), kind="stable")
