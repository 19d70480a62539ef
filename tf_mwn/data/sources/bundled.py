"""Data sets that an installed package brings along, by name. They need no network."""

import numpy as np

from tf_mwn.data.sources.source import RawSource


def load_digits() -> RawSource:
    """Loads scikit-learn's 1797 handwritten digits, [N, 8, 8, 1] with values 0 to 16.

    They have no test part.
    """
    from sklearn import datasets

    digits = datasets.load_digits()
    return RawSource("digits", digits.images.astype(np.uint8), digits.target)


def load_rare_positives() -> RawSource:
    """A made table: 22 500 rows of 20 features, [N, 20], of which 5 % are positive."""
    from sklearn import datasets

    x, y = datasets.make_classification(
        n_samples=22_500,
        n_features=20,
        n_informative=10,
        n_redundant=4,
        weights=[0.95],
        flip_y=0.0,
        class_sep=0.5,
        random_state=0,
    )
    return RawSource("rare_positives", x.astype(np.float32), y)


BUNDLED = {"digits": load_digits, "rare_positives": load_rare_positives}
