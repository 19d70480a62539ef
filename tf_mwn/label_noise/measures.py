"""Measures of sample weights, and of wrong labels by weights and predictions."""

import numpy as np


def noise_auc(weights: np.ndarray, is_wrong: np.ndarray) -> float | None:
    """Probability that a wrongly labelled example weighs less than a correctly labelled one.

    It is the area under the ROC curve of -weight as a score for "wrong"; ties count half. 1 means
    perfect separation, 0.5 none. None if all labels are right, or all are wrong.

    Args:
        weights: [N].
        is_wrong: [N] booleans.
    """
    if is_wrong.all() or not is_wrong.any():
        return None
    from sklearn import metrics  # imported here: slow, and needed only if the noise is known

    return float(metrics.roc_auc_score(is_wrong, -weights))


def memorised(predictions: np.ndarray, labels: np.ndarray, is_wrong: np.ndarray) -> float | None:
    """Fraction of the wrong labels that the classifier predicts; None if no label is wrong.

    Args:
        predictions: [N] predicted classes.
        labels: [N] given labels.
        is_wrong: [N] booleans.
    """
    if not is_wrong.any():
        return None
    return float((predictions == labels)[is_wrong].mean())


def effective_fraction(weights: np.ndarray) -> float:
    """(Σ v)² / (N Σ v²): 1 if all weights are equal, 1/N if one example has all the weight."""
    weights = weights.astype(np.float64)
    total = float((weights**2).sum())
    return float(weights.sum() ** 2 / (len(weights) * total)) if total > 0 else 0.0


def weight_spread(weights: np.ndarray) -> float:
    """The 95th minus the 5th percentile of weights [N]: 0 if all are equal."""
    low, high = np.percentile(weights, (5, 95))
    return float(high - low)


def mean_weight_by_class(weights: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Mean weight [C] of the examples labelled with each class; NaN for a class without any.

    Args:
        weights: [N].
        labels: [N] classes in 0..C-1.
        num_classes: C.
    """
    totals = np.bincount(labels, weights, num_classes)
    numbers = np.bincount(labels, minlength=num_classes)
    return np.where(numbers > 0, totals / np.maximum(numbers, 1), np.nan)


def weight_change(before: np.ndarray, after: np.ndarray) -> float | None:
    """Mean absolute change of weights [N], each divided by their mean; None if a mean is 0.

    The scale of the weights does not matter: 0 means that every example keeps its share.
    """
    before, after = before.astype(np.float64), after.astype(np.float64)
    if before.mean() == 0 or after.mean() == 0:
        return None
    return float(np.abs(after / after.mean() - before / before.mean()).mean())


def weight_measures(weights: np.ndarray, is_wrong: np.ndarray | None) -> dict[str, float | None]:
    """Measures of weights [N]. Those that need clean labels are left out if these are unknown."""
    measures = {
        "mean_weight_all": float(weights.mean()),
        "effective_fraction": effective_fraction(weights),
        "weight_spread": weight_spread(weights),
    }
    if is_wrong is None:
        return measures
    correct, wrong = weights[~is_wrong], weights[is_wrong]
    return {
        **measures,
        "mean_weight_correct": float(correct.mean()) if len(correct) else None,
        "mean_weight_wrong": float(wrong.mean()) if len(wrong) else None,
        "noise_auc": noise_auc(weights, is_wrong),
    }
