"""Measures of a ranking, and cleanlab's scores."""

import numpy as np
import pytest

from tf_mwn.auditing.rankings import cleanlab_scores, found


def test_precision_recall_and_auc_by_hand():
    scores, wrong = np.array([0.1, 0.2, 0.3, 0.4, 0.5]), np.array([1, 0, 1, 0, 0], bool)
    # Of 2 * 3 pairs one is in the wrong order.
    assert found(scores, wrong, 2) == {"precision": 0.5, "recall": 0.5, "auc": pytest.approx(5 / 6)}
    assert found(scores, wrong, 3)["recall"] == 1.0
    assert found(scores, np.zeros(5, bool), 0) == {"precision": None, "recall": None, "auc": None}


def test_cleanlab_scores_are_the_ones_they_are_named_after():
    pytest.importorskip("cleanlab", reason="cleanlab is not installed: pip install '.[cleanlab]'")
    p = np.array([[0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0.1, 0.1, 0.8]])
    scores = cleanlab_scores(p, np.array([0, 0, 2]))
    np.testing.assert_allclose(scores["cleanlab self confidence"], [0.7, 0.3, 0.8])
    margins = (np.array([0.7 - 0.2, 0.3 - 0.6, 0.8 - 0.1]) + 1) / 2
    np.testing.assert_allclose(scores["cleanlab normalized margin"], margins)


def test_without_cleanlab_there_are_no_scores(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert cleanlab_scores(np.eye(3), np.arange(3)) == {}
