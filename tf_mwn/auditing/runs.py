"""The audit of a finished run."""

import os

import numpy as np

from tf_mwn.auditing.audit import audit_logits
from tf_mwn.auditing.result import Audit
from tf_mwn.data.images.files import joined
from tf_mwn.data.splits.biased_data import BiasedData
from tf_mwn.data.splits.card_text import AS_DOUBTFUL
from tf_mwn.data.subset import Subset
from tf_mwn.methods import registry
from tf_mwn.runs import build, streams
from tf_mwn.runs.finished_run import FinishedRun
from tf_mwn.runs.run import WEIGHTS


def audit_run(run: FinishedRun) -> Audit:
    """The audit of the run's training set, with the weights and clean labels of the run.

    A test part that was split off the training set, with labels that nobody vouches for, is audited
    too: without it a fifth of such data would never be judged. It has no weights.

    The clean examples are those that the run's classifier was not trained on.

    Raises:
        ValueError: weights.csv is missing, or its examples are not those of the training set.
    """
    data, config = run.data, run.config
    method = registry.find(run.method)
    clean = streams.meta_parts(config, method, data, run.seed).unseen
    adjustment = build.logit_adjustment(config, method, data)
    part, weights, held_out = data.train, _weights(run), None
    if data.card["test_labels"] == AS_DOUBTFUL:
        part, held_out = _with_test_part(data)
        if weights is not None:
            weights = np.concatenate([weights, np.full(len(data.test), np.nan)])
    path = part.path
    return audit_logits(
        run.logits(part),
        part.label,
        part.x,
        part.sample_id,
        weights,
        None if clean is None else (run.logits(clean), clean.label),
        part.clean_label,
        data.card["class_names"],
        None if path is None else np.array(list(map(os.fsdecode, path.tolist())), object),
        offset=adjustment.offset if adjustment else 0.0,
        held_out=held_out,
    )


def _with_test_part(data: BiasedData) -> tuple[Subset, np.ndarray]:
    """Training and test examples together, N, and [N] which are those of the test part."""
    train, test = data.train, data.test
    path = None if train.path is None else np.concatenate([train.path, test.path])
    both = Subset(
        joined([train.x, test.x]),
        np.concatenate([train.label, test.label]),
        None,  # nobody knows the right labels
        np.concatenate([train.sample_id, test.sample_id]),
        path=path,
    )
    return both, np.arange(len(both)) >= len(train)


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
