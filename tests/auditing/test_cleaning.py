"""What becomes of examples: actions, and decisions that overrule them."""

import dataclasses

import numpy as np
import pytest

from tests.auditing.wrong_labels import TRUE, WRONG, X, Y, linear
from tf_mwn.auditing.audit import audit
from tf_mwn.auditing.cleaning import AUDIT, PERSON, outcome
from tf_mwn.auditing.decisions import Decisions

NAMES = ('a, "b"', "c\nd", " é")


@pytest.fixture(scope="module")
def found():
    return audit(linear(), X, Y, sample_id=np.arange(300)[::-1] + 50, class_names=NAMES)


@pytest.fixture(scope="module")
def weak(found):
    return dataclasses.replace(found, suggested=None)


def test_each_action_alone(found):
    dropped = outcome(found, "drop")
    np.testing.assert_array_equal(dropped.kept, ~WRONG)
    np.testing.assert_array_equal(dropped.label, Y)
    relabelled = outcome(found, "relabel")
    np.testing.assert_array_equal(relabelled.label, TRUE)
    assert relabelled.kept.all() and relabelled.weight is None
    weighted = outcome(found, "weight")
    np.testing.assert_allclose(weighted.weight, found.trust, atol=1e-6)
    np.testing.assert_array_equal(weighted.label, Y)
    for result in (dropped, relabelled, weighted):
        np.testing.assert_array_equal(result.changed, WRONG)
        assert set(result.by) == {AUDIT}


# Of each decision, one about a wrong label and one about a right one.
ROWS = np.flatnonzero(WRONG)[:4].tolist() + np.flatnonzero(~WRONG)[:4].tolist()
WHAT = ["keep", "relabel", "drop", "unsure"] * 2
NEW = (Y[ROWS] + 2 * (np.array(WHAT) == "relabel")) % 3
DECIDED = Decisions(np.array(ROWS), np.array(WHAT, object), NEW)


@pytest.mark.parametrize("action", ["drop", "relabel", "weight"])
@pytest.mark.parametrize("judge", ["found", "weak"])
def test_decisions_overrule(action, judge, request):
    judged = request.getfixturevalue(judge)
    result = outcome(judged, action, DECIDED)
    others = np.setdiff1d(np.arange(300), ROWS)
    # Without a judgement, the rest and the unsure ones stay as they came.
    alone = outcome(judged, action) if judge == "found" else outcome(judged, action, NOTHING)
    for name in ("label", "kept", "weight", "by"):
        one, two = getattr(result, name), getattr(alone, name)
        unsure = [row for row, what in zip(ROWS, WHAT, strict=True) if what == "unsure"]
        if one is not None:
            np.testing.assert_array_equal(one[[*others, *unsure]], two[[*others, *unsure]])
    for row, what, new in zip(ROWS, WHAT, NEW, strict=True):
        if what == "unsure":
            continue
        assert result.by[row] == PERSON and result.label[row] == new
        assert result.kept[row] == (what != "drop" or action == "weight")
        if action == "weight":
            assert result.weight[row] == (0 if what == "drop" else 1)


NOTHING = Decisions(np.zeros(0, int), np.zeros(0, object), np.zeros(0, int))


def test_a_weak_audit_changes_nothing_alone(weak):
    with pytest.raises(ValueError, match="expected decisions too, because the classifier is"):
        outcome(weak, "drop")
    assert not outcome(weak, "relabel", NOTHING).changed.any()
    with pytest.raises(ValueError, match="action: expected .* received 'dropp'"):
        outcome(weak, "dropp")


def test_rows_of_ids(found):
    audited, places = outcome(found, "drop").rows(np.array([1, 52, 349, 350, 50]))
    assert audited.tolist() == [False, True, True, False, True]
    assert places.tolist() == [297, 0, 299]
