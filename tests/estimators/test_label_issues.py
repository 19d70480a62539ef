"""Labels that look wrong out of sample."""

import dataclasses
import logging
import sys

import keras
import numpy as np
import pytest
from sklearn.model_selection import KFold, PredefinedSplit, StratifiedGroupKFold

import tf_mwn
from tests.estimators.tiny_networks import blobs, labelled, linear, plan
from tf_mwn.estimators import label_issues
from tf_mwn.estimators.label_issues import cross_audit, table

NAMES = np.array(["cat", "dog"])


def wrong_labels(size=120, seed=0):
    data = labelled(size, seed=seed)
    wrong = np.arange(size) % 8 == 0
    return dataclasses.replace(data, codes=np.where(wrong, 1 - data.codes, data.codes)), wrong


def test_wrong_labels_are_found():
    X, codes = blobs(120, seed=2)
    wrong = np.arange(120) % 8 == 0
    y = NAMES[np.where(wrong, 1 - codes, codes)]
    X_meta, meta = blobs(30, seed=1)
    sgd = keras.optimizers.SGD(0.1)
    classifier = tf_mwn.RobustClassifier(linear, epochs=5, batch_size=20, optimizer=sgd)
    found = classifier.find_label_issues(X, y, X_meta, NAMES[meta], cv=2, progress=False)
    assert list(found.columns) == ["row", "given", "suggested", "trust", "weight"]
    hits = wrong[found["row"]]
    assert hits.sum() >= 0.9 * wrong.sum() and hits.mean() >= 0.9
    assert (found["given"] == y[found["row"]]).all()
    assert (found["suggested"] == NAMES[codes[found["row"]]])[hits].all()
    assert found["trust"].is_monotonic_increasing and found["trust"].max() < 0.5
    assert np.isfinite(found["weight"]).all()
    assert not hasattr(classifier, "classes_")  # it is no fit


def test_no_model_has_seen_the_labels_of_its_rows():
    """Those of a fold's held-out rows are permuted: none of its probabilities changes."""
    data, _ = wrong_labels()
    fold = np.arange(120) % 3
    meta = labelled(24, seed=1)
    change = data.codes.copy()
    change[fold == 1] = np.roll(change[fold == 1], 1)
    assert (change != data.codes).sum() > 10
    how, split = plan(logit_adjustment=1.0), PredefinedSplit(fold)
    audits = [
        cross_audit(how, dataclasses.replace(data, codes=codes), meta, NAMES, split, False)
        for codes in (data.codes, change)
    ]
    same = (audits[0].probabilities == audits[1].probabilities).all(axis=1)
    assert same[fold == 1].all() and not same[fold == 0].any() and not same[fold == 2].any()


class _Count(keras.callbacks.Callback):
    examples = 0

    def on_train_batch_end(self, batch, logs=None):
        _Count.examples += 20


def test_folds_cost_one_training_less_than_their_number(monkeypatch):
    real = label_issues.train
    monkeypatch.setattr(
        label_issues, "train", lambda p, d, m, c, calls: real(p, d, m, c, [*calls, _Count()])
    )
    data, _ = wrong_labels()
    cross_audit(plan(epochs=3), data, None, NAMES, 3, False)
    assert _Count.examples == (3 - 1) * 3 * 120


def test_the_meta_set_is_judged_by_models_that_have_not_seen_it(monkeypatch):
    """Only where the classifier trains on it; otherwise every model is given all of it."""
    seen = []
    real = label_issues.train

    def spy(plan, data, meta, *args):
        seen.append(len(meta.codes))
        return real(plan, data, meta, *args)

    monkeypatch.setattr(label_issues, "train", spy)
    data, _ = wrong_labels()
    for method in ("clean_added", "cross_entropy"):
        cross_audit(plan(method, epochs=1), data, labelled(24, seed=1), NAMES, 2, False)
    assert seen == [12, 12, 24, 24]


def test_a_classifier_that_is_too_weak_suggests_nothing(caplog, capsys):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 4)), rng.integers(0, 2, 120)
    classifier = tf_mwn.RobustClassifier(linear, "cross_entropy", epochs=1)
    with caplog.at_level(logging.WARNING, "tf_mwn"):
        found = classifier.find_label_issues(X, y, X[:40], 1 - y[:40], cv=2)
    assert "too weak to judge" in caplog.text
    assert capsys.readouterr().out == ""  # there is no terminal to show a bar on
    assert len(found) and found["suggested"].isna().all() and found["weight"].isna().all()


def test_a_table_without_pandas(monkeypatch):
    data, wrong = wrong_labels()
    audit = cross_audit(plan(), data, None, NAMES, 2, False)
    frame = table(audit, NAMES)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    array = table(audit, NAMES)
    assert array.dtype.names == tuple(frame.columns)
    for name in ("row", "given", "suggested", "trust"):
        assert array[name].tolist() == frame[name].tolist()


def test_a_bar_over_all_folds(monkeypatch, capsys):
    data, _ = wrong_labels()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    cross_audit(plan(epochs=1), data, None, NAMES, 2, True)
    assert "find_label_issues" in capsys.readouterr().out


def test_folds_that_leave_out_rows():
    data, _ = wrong_labels()
    with pytest.raises(ValueError, match="cv: expected folds that hold out each row once"):
        cross_audit(plan(), data, None, NAMES, [next(KFold(3).split(data.inputs))], False)
    with pytest.raises(ValueError, match="cv: expected an integer of at least 2, received 1"):
        cross_audit(plan(), data, None, NAMES, 1, False)


def test_clean_examples_are_divided_into_any_number_of_folds():
    """More folds than clean examples of a class: some judge one, some none."""
    meta = labelled(5, seed=1)
    folds = label_issues._meta_folds(plan("clean_added"), meta, 7)
    assert sorted(np.concatenate([judged for _, judged in folds])) == list(range(5))
    for rest, judged in folds:
        assert sorted([*rest, *judged]) == list(range(5)) and len(judged) <= 1
    meta = labelled(60, seed=1)
    folds = label_issues._meta_folds(plan("clean_added"), meta, 3)
    counts = [np.bincount(meta.codes[judged]) for _, judged in folds]
    assert np.ptp(counts, axis=0).max() <= 1  # as many of each class in each
    data, _ = wrong_labels()
    found = cross_audit(plan("clean_added", epochs=1), data, labelled(2, seed=1), NAMES, 3, False)
    assert found.reliability.examples == 2


def test_rows_of_a_group_are_held_out_together():
    data, _ = wrong_labels()
    groups = np.arange(120) // 4
    splits = StratifiedGroupKFold(3).split(data.inputs, data.codes, groups)
    assert cross_audit(plan(epochs=1), data, None, NAMES, splits, False).trust.shape == (120,)


def test_lists_are_inputs():
    X, codes = blobs(40, seed=2)
    classifier = tf_mwn.RobustClassifier(linear, "cross_entropy", epochs=1)
    classifier.find_label_issues(X.tolist(), codes.tolist(), cv=2, progress=False)
    assert classifier.audit_.trust.shape == (40,)
