"""The audit of a run of the command line."""

import csv

import numpy as np

from tf_mwn.auditing.audit import audit_logits
from tf_mwn.auditing.result import Audit
from tf_mwn.data.subset import Subset
from tf_mwn.runs.finished_run import FinishedRun
from tf_mwn.runs.run_folder import RunFolder


def audit_run(run: FinishedRun) -> Audit:
    """The audit of the run's training set, with the run's own weights and its meta set.

    The clean labels are those the run's wrong labels were measured by.
    """
    data = run.data
    return audit_logits(
        run.logits(data.train),
        data.train.label,
        data.train.x,
        data.train.sample_id,
        _weights(run.folder, data.train),
        (run.logits(data.meta), data.meta.label),
        data.train.clean_label,
        data.card["class_names"],
    )


def _weights(folder: RunFolder, train: Subset) -> np.ndarray | None:
    """The weight column of weights.csv, or None where the method gives none.

    Raises:
        ValueError: the file is missing, or not of this training set.
    """
    path = folder / "weights.csv"
    if not path.is_file():
        raise ValueError(f"run: expected {path}, received a run without it")
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    if [int(row["sample_id"]) for row in rows] != train.sample_id.tolist():
        raise ValueError(
            f"run: expected the {len(train)} training examples in {path}, received {len(rows)} rows"
        )
    weights = [row["weight"] for row in rows]
    return None if "" in weights else np.array(weights, np.float64)
