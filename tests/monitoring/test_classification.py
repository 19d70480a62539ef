"""Measures of a classifier, worked by hand."""

import numpy as np
import pytest

from tf_mwn.monitoring.classification import (
    confusion_matrix,
    evaluation,
    expected_calibration_error,
)

P = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]])
LABELS = np.array([0, 1, 1, 1])


def test_confusion_matrix():
    matrix = confusion_matrix(LABELS, P.argmax(axis=1), 3)
    np.testing.assert_array_equal(matrix, [[1, 0, 0], [1, 2, 0], [0, 0, 0]])


def test_expected_calibration_error():
    # One bin: accuracy 3/4, confidence 0.75. Five: (0.6, 0.8] has 0.8 wrong and 0.7 right,
    # (0.8, 1] has 0.9 right, (0.4, 0.6] has 0.6 right.
    assert expected_calibration_error(P, LABELS, bins=1) == pytest.approx(0.0)
    by_hand = (abs(1 - 0.8 - 0.7) + abs(1 - 0.9) + abs(1 - 0.6)) / 4
    assert expected_calibration_error(P, LABELS, bins=5) == pytest.approx(by_hand)


def test_certain_and_right_is_calibrated():
    assert expected_calibration_error(np.eye(3), np.arange(3)) == 0.0


def test_evaluation():
    result = evaluation(np.log(np.c_[P, np.full(4, 1e-30)]), LABELS)
    assert result["examples"] == 4 and result["accuracy"] == 0.75
    assert result["recall"] == [1.0, pytest.approx(2 / 3), None]
    assert result["confusion"].sum() == 4
