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


def load_made_text() -> RawSource:
    """Made sentences: 6 000 sequences of up to 20 tokens out of 1 000, [N, 20], in four classes.

    Token 0 pads at the end. Each class has 40 words of its own, which make up a sixth of a
    sentence; the other words are alike in all classes and follow Zipf's law.
    """
    rng = np.random.default_rng(0)
    classes, length, vocabulary, size = 4, 20, 1000, 6000
    y = rng.integers(0, classes, size)
    common = 1 / np.arange(1, vocabulary - 40 * classes)
    words = 1 + 40 * classes + rng.choice(len(common), (size, length), p=common / common.sum())
    own = 1 + 40 * y[:, np.newaxis] + rng.integers(0, 40, (size, length))
    x = np.where(rng.random((size, length)) < 1 / 6, own, words)
    x[np.arange(length) >= rng.integers(8, length + 1, size)[:, np.newaxis]] = 0
    return RawSource("made_text", x.astype(np.float32), y)


BUNDLED = {
    "digits": load_digits,
    "rare_positives": load_rare_positives,
    "made_text": load_made_text,
}
