"""What a person decided on the page of an audit."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tf_mwn.files import read_columns

KEEP, RELABEL, DROP, UNSURE = DECISIONS = ("keep", "relabel", "drop", "unsure")
_COLUMNS = ("sample_id", "label", "decision", "new_label")


@dataclasses.dataclass(frozen=True)
class Decisions:
    """Decisions about n of the N examples of an audit.

    Attributes:
        position: [n] int64 positions of the examples.
        what: [n] texts among `DECISIONS`.
        new_label: [n] int64 classes; the given label unless `what` is `RELABEL`.
    """

    position: np.ndarray
    what: np.ndarray
    new_label: np.ndarray

    def are(self, what: str) -> np.ndarray:
        """The positions of the examples with this decision."""
        return self.position[self.what == what]


def read_decisions(path: str | Path, audit) -> Decisions:
    """Reads the file that the page of an audit saves.

    Args:
        path: a CSV file with the columns `sample_id`, `label` and `new_label` (names of classes),
            and `decision`; others are not read.
        audit: the `Audit` that the decisions are about.

    Raises:
        ValueError: no such file, or decisions about other examples or other labels.
        OSError: the file cannot be read.
    """
    columns = read_columns(path)
    missing = [name for name in _COLUMNS if name not in columns]
    if missing:
        raise ValueError(
            f"decisions: expected the columns {', '.join(_COLUMNS)} in {path}, "
            f"received none called {missing[0]}"
        )
    row_of = {str(i): row for row, i in enumerate(audit.sample_id.tolist())}
    number = {name: k for k, name in enumerate(audit.class_names)}
    found: dict[int, tuple[str, int]] = {}
    for line, values in enumerate(zip(*(columns[n] for n in _COLUMNS), strict=True), start=1):
        problem = _problem(values, audit, row_of, number)
        row = row_of.get(values[0], -1)
        if not problem and row in found:
            problem = f"a second decision about sample_id {values[0]}"
        if problem:
            raise ValueError(
                f"decisions: expected decisions about the labels of this audit in {path}, "
                f"received {problem} (row {line})"
            )
        found[row] = values[2], number.get(values[3], audit.label[row])
    rows = np.array(list(found), np.int64)
    what, new = ([pair[k] for pair in found.values()] for k in (0, 1))
    return Decisions(rows, np.array(what, object), np.array(new, np.int64))


def _problem(values: tuple, audit, row_of: Mapping, number: Mapping) -> str | None:
    """What is wrong with a row of the file; None if nothing is."""
    sample_id, label, what, new_label = values
    if sample_id not in row_of:
        return f"sample_id {sample_id}, which is none of its {len(row_of)} examples"
    given = audit.class_names[audit.label[row_of[sample_id]]]
    if label != given:
        return f"the label {label!r} for sample_id {sample_id}, whose label is {given!r}"
    if what not in DECISIONS:
        return f"the decision {what!r}, none of {', '.join(DECISIONS)}"
    if (what == RELABEL) != bool(new_label) or (new_label and new_label not in number):
        return f"the new label {new_label!r} with the decision {what}"
    return None
