"""The audit of a finished run."""

import os

import numpy as np

from tf_mwn.auditing.audit import audit_logits
from tf_mwn.auditing.result import Audit
from tf_mwn.methods import registry
from tf_mwn.runs import build
from tf_mwn.runs.finished_run import FinishedRun
from tf_mwn.runs.run import WEIGHTS


def audit_run(run: FinishedRun) -> Audit:
    """The audit of the run's training set, with the weights and clean labels of the run.

    The clean examples are those that the run's classifier was not trained on.

    Raises:
        ValueError: weights.csv is missing, or its examples are not those of the training set.
    """
    data, path = run.data, run.data.train.path
    method = registry.find(run.method)
    clean = build.meta_parts(run.config, method, data, run.seed).unseen
    adjustment = build.logit_adjustment(run.config, method, data)
    return audit_logits(
        run.logits(data.train),
        data.train.label,
        data.train.x,
        data.train.sample_id,
        _weights(run),
        None if clean is None else (run.logits(clean), clean.label),
        data.train.clean_label,
        data.card["class_names"],
        None if path is None else np.array(list(map(os.fsdecode, path.tolist())), object),
        offset=adjustment.offset if adjustment else 0.0,
    )


def _weights(run: FinishedRun) -> np.ndarray | None:
    """The weights [N] in the order of the training set, or None if the method gives none."""
    columns, train = run.weights(), run.data.train
    if not np.array_equal(columns["sample_id"], train.sample_id):
        raise ValueError(
            f"run: expected the {len(train)} training examples in {run.folder / WEIGHTS}, "
            f"received {len(columns['sample_id'])} rows"
        )
    weights = columns["weight"]
    return None if np.isnan(weights).any() else weights
