"""What becomes of audited examples: by the audit, and by the person who reviewed it."""

import dataclasses

import numpy as np

from tf_mwn.auditing.decisions import DROP, KEEP, RELABEL, Decisions
from tf_mwn.checks import check_name

CLEAN_SET = "clean_set"
ACTIONS = ("drop", "relabel", "weight", CLEAN_SET)
AUDIT, PERSON = "audit", "person"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What becomes of N audited examples.

    Attributes:
        sample_id: [N] int64 ids.
        given: [N] int64 labels before.
        label: [N] int64 labels after.
        kept: [N] bool; the others are left out.
        weight: [N] float32 in [0, 1], or None without the action "weight".
        by: [N] texts, who decided: `AUDIT` or `PERSON`.
        is_clean_set: whether the examples kept are a set of their own, beside the audited one.
    """

    sample_id: np.ndarray
    given: np.ndarray
    label: np.ndarray
    kept: np.ndarray
    weight: np.ndarray | None
    by: np.ndarray
    is_clean_set: bool = False

    @property
    def changed(self) -> np.ndarray:
        """[N] whether an example has another label, is left out, or counts less than half."""
        if self.is_clean_set:
            return self.kept & (self.label != self.given)
        changed = (self.label != self.given) | ~self.kept
        return changed if self.weight is None else changed | (self.weight < 0.5)

    def rows(self, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which of `ids` [M] are audited, [M] bool, and the positions of those that are."""
        order = np.argsort(self.sample_id)
        places = np.searchsorted(self.sample_id, ids, sorter=order)
        places = order[np.minimum(places, len(order) - 1)]
        audited = self.sample_id[places] == ids
        return audited, places[audited]


def outcome(audit, action: str, decisions: Decisions | None = None) -> Outcome:
    """Decides what becomes of each example of an audit.

    | action | a suspect | any other example |
    |---|---|---|
    | drop | is left out | stays |
    | relabel | gets the suggested label | stays |
    | weight | has its trust as weight | has its trust as weight |
    | clean_set | is left out | is left out |

    Decisions overrule this: "keep" and "relabel" fix the label, with weight 1; "drop" leaves the
    example out, or with the action "weight" gives it weight 0. "unsure" leaves it to the audit. An
    audit whose classifier is too weak to judge changes nothing, and decisions alone count.

    Raises:
        ValueError: an unknown action, or neither a judgement nor decisions.
    """
    check_name("action", action, ACTIONS)
    if action == CLEAN_SET and decisions is None:
        raise ValueError("action: expected decisions with clean_set, received none")
    if audit.suggested is None and decisions is None:
        raise ValueError(
            "action: expected decisions too, because the classifier is too weak to judge, received "
            f"only {action}"
        )
    label, kept = audit.label.copy(), np.ones(len(audit.label), bool)
    weight = np.ones(len(label), np.float32) if action == "weight" else None
    by = np.full(len(label), AUDIT, object)
    if action == CLEAN_SET:
        kept[:] = False
    elif audit.suggested is not None:
        if action == "drop":
            kept[audit.suspects] = False
        elif action == "relabel":
            label[audit.suspects] = audit.suggested[audit.suspects]
        else:
            weight[:] = audit.trust
    if decisions is not None:
        _overrule(audit, decisions, label, kept, weight, by)
    if not kept.any():
        raise ValueError("decisions: expected an example that is kept or relabelled, received none")
    is_clean_set = action == CLEAN_SET
    return Outcome(audit.sample_id, audit.label, label, kept, weight, by, is_clean_set)


def _overrule(audit, decisions: Decisions, label, kept, weight, by) -> None:
    """Puts the decisions in the place of what the audit says, in these arrays [N]."""
    keep, relabel, drop = map(decisions.are, (KEEP, RELABEL, DROP))
    right = np.concatenate([keep, relabel])
    label[keep] = audit.label[keep]
    label[relabel] = decisions.new_label[decisions.what == RELABEL]
    label[drop] = audit.label[drop]
    kept[right] = True
    if weight is None:
        kept[drop] = False
    else:
        weight[right], weight[drop] = 1, 0
    by[np.concatenate([right, drop])] = PERSON
