"""Means by class: how an estimate of a label transition matrix is made from examples."""

import numpy as np


def class_means(classes: np.ndarray, values: np.ndarray, pseudo_count: float = 0.0) -> np.ndarray:
    """Row i: the mean of `values` over the examples of class i.

    With the true classes and predicted probabilities as values it estimates P(given j | true i);
    with the predicted classes and the given labels as values it counts a confusion matrix.

    Args:
        classes: [N, C], one-hot, or the share of an example in each class.
        values: [N, C], rows that sum to 1.
        pseudo_count: examples of uniform values that each class has besides its own, 0 or more;
            with some, no entry is 0.

    Returns:
        [C, C], rows that sum to 1; the row of a class without examples is that of the identity,
        which leaves its label as it is.
    """
    shares = np.asarray(classes, dtype=np.float64)
    totals = shares.sum(axis=0)[:, np.newaxis] + pseudo_count
    sums = shares.T @ np.asarray(values, dtype=np.float64) + pseudo_count / len(totals)
    return np.where(totals > 0, sums / np.where(totals > 0, totals, 1.0), np.eye(len(totals)))
