"""How well a ranking finds wrong labels, for this package's rankings and for cleanlab's."""

import importlib.util

import numpy as np

from tf_mwn.monitoring.measures import noise_auc


def cleanlab_scores(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """cleanlab's label quality scores [N] by name, low for suspects; empty without cleanlab.

    Args:
        probabilities: [N, C].
        labels: [N] given labels.

    References:
        Northcutt, Jiang and Chuang, JAIR 2021, https://arxiv.org/abs/1911.00068.
    """
    if importlib.util.find_spec("cleanlab") is None:
        return {}
    from cleanlab.rank import get_label_quality_scores

    return {
        f"cleanlab {method.replace('_', ' ')}": get_label_quality_scores(
            labels, probabilities, method=method
        )
        for method in ("self_confidence", "normalized_margin")
    }


def found(scores: np.ndarray, is_wrong: np.ndarray, size: int) -> dict[str, float | None]:
    """What the `size` lowest of `scores` [N] hold, ties in the order of the examples.

    Returns:
        precision: the share of them that is wrong; recall: the share of the wrong that is in
        them; auc: the probability that a wrong label scores below a right one. None where
        nothing is wrong, or nothing listed.
    """
    hits = is_wrong[np.argsort(scores, kind="stable")[:size]].sum()
    return {
        "precision": float(hits / size) if size else None,
        "recall": float(hits / is_wrong.sum()) if is_wrong.any() else None,
        "auc": noise_auc(scores, is_wrong),
    }
