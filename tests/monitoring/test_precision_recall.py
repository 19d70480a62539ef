"""Curves of precision and recall."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from tf_mwn.monitoring import precision_recall

RNG = np.random.default_rng(0)


def test_counts_by_hand():
    true, false, true_negative, missed, precision, recall = precision_recall.counts(
        np.array([0.0, 0.305, 0.305, 1.0]), np.array([False, True, False, True])
    )
    for threshold, expected in ((0, (2, 2, 0, 0)), (30, (2, 1, 1, 0)), (31, (1, 0, 2, 1))):
        found = [values[threshold] for values in (true, false, true_negative, missed)]
        assert tuple(found) == expected
    assert (precision[30], recall[30]) == (2 / 3, 1)
    assert (precision[100], recall[100]) == (1, 0.5)


def test_the_curve_is_the_one_of_scikit_learn():
    """Scores on the thresholds themselves, where both see the same ties."""
    is_positive = RNG.random(500) < 0.3
    scores = RNG.integers(0, 101, 500) / 100 + 1e-9
    *_, precision, recall = precision_recall.counts(scores, is_positive)
    area = -np.sum(np.diff([*recall, 0.0]) * precision)
    assert area == pytest.approx(average_precision_score(is_positive, scores))


def test_curves_of_nothing_are_finite():
    for is_positive in (np.zeros(3, bool), np.ones(3, bool)):
        assert np.isfinite(precision_recall.counts(np.zeros(3), is_positive)).all()
