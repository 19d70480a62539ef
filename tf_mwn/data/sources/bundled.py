"""Data sets that an installed package brings along, by name. They need no network."""

import numpy as np

from tf_mwn.data.sources.source import RawSource, build_source
from tf_mwn.data.subset import Source


def load_digits() -> Source:
    """Loads scikit-learn's 1797 handwritten digits, [N, 8, 8, 1] with values 0 to 16.

    A fifth of each class is the test part, the same in every run.
    """
    from sklearn import datasets

    digits = datasets.load_digits()
    return build_source(RawSource("digits", digits.images.astype(np.uint8), digits.target))


BUNDLED = {"digits": load_digits}
