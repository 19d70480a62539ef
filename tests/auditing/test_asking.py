"""Which examples a person is asked to check."""

import csv
import dataclasses

import numpy as np
import pytest

import tf_mwn
from tests.auditing.wrong_labels import WRONG, X, Y, linear
from tf_mwn.auditing.asking import worth_checking, write


@pytest.fixture(scope="module")
def found():
    return tf_mwn.audit(linear((5,)), X, Y)


def test_half_of_each_class_are_the_least_trusted(found):
    chosen = worth_checking(found, 60)
    assert len(set(chosen.tolist())) == 60 and (np.diff(found.log_odds[chosen]) >= 0).all()
    classes = found.suggested[chosen]
    np.testing.assert_array_equal(np.bincount(classes), [20, 20, 20])
    for c in range(3):
        of_class = np.flatnonzero(found.suggested == c)
        worst = of_class[np.argsort(found.log_odds[of_class])][:10]
        assert set(worst.tolist()) <= set(chosen.tolist())
    assert WRONG[chosen].mean() > 0.45, "of all labels a fifth is wrong"


def test_rare_classes_give_all_they_have(found):
    suggested = np.where(np.arange(300) < 4, 2, np.arange(300) % 2)
    rare = dataclasses.replace(found, suggested=suggested)
    counts = np.bincount(suggested[worth_checking(rare, 31)])
    assert counts[2] == 4 and abs(counts[0] - counts[1]) <= 1
    everything = worth_checking(rare, 300)
    assert sorted(everything.tolist()) == list(range(300))
    with pytest.raises(ValueError, match="ask: expected .* 300 audited examples, received 301"):
        worth_checking(rare, 301)


def test_a_weak_classifier_asks_by_given_class(found):
    weak = dataclasses.replace(found, suggested=None)
    np.testing.assert_array_equal(np.bincount(Y[worth_checking(weak, 30)]), [10, 10, 10])


def test_the_list_and_the_page(found, tmp_path):
    paths = write(found, 30, tmp_path, "Labels to <check>")
    assert [path.name for path in paths] == ["ask.csv", "ask.html"]
    with open(paths[0], newline="") as file:
        rows = list(csv.DictReader(file))
    chosen = worth_checking(found, 30)
    assert [int(row["sample_id"]) for row in rows] == found.sample_id[chosen].tolist()
    assert [row["label"] for row in rows] == [str(k) for k in Y[chosen]]
    text = paths[1].read_text()
    assert "Labels to &lt;check&gt;" in text and '"suspects":30' in text
    assert text.count('"id":[') == 1 and f'"id":["{found.sample_id[chosen[0]]}"' in text
