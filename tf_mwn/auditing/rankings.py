"""How well the rankings of this package, and those of cleanlab, find wrong labels."""

import importlib.util

import numpy as np

from tf_mwn.label_noise.measures import noise_auc


def cleanlab_scores(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """The label quality scores [N] of cleanlab by name; low means suspect.

    Empty if cleanlab is not installed.

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
    """How well the `size` lowest of `scores` [N] find wrong labels. Ties keep their order.

    Returns:
        "precision": the share of wrong labels among them; "recall": the share of all wrong labels
        that are among them; "auc": the probability that a wrong label scores below a right one.
        An undefined one, without wrong labels or with `size` 0, is None.
    """
    hits = is_wrong[np.argsort(scores, kind="stable")[:size]].sum()
    return {
        "precision": float(hits / size) if size else None,
        "recall": float(hits / is_wrong.sum()) if is_wrong.any() else None,
        "auc": noise_auc(scores, is_wrong),
    }
