"""Means by class: estimates of a label transition matrix from examples."""

import numpy as np


def class_means(classes: np.ndarray, values: np.ndarray, pseudo_count: float = 0.0) -> np.ndarray:
    """Row i: the mean of `values` over the examples of class i.

    For true classes and predicted probabilities it estimates P(given j | true i). For predicted
    classes and given labels it is a normalised confusion matrix.

    Args:
        classes: [N, C], one-hot, or the share of an example in each class.
        values: [N, C], rows that sum to 1.
        pseudo_count: at least 0; this many examples with uniform values are added to each class.
            Above 0, no entry is 0.

    Returns:
        [C, C], rows that sum to 1. A class without examples has the row of the identity, or a
        uniform one with a pseudo-count.
    """
    shares = np.asarray(classes, dtype=np.float64)
    totals = shares.sum(axis=0)[:, np.newaxis] + pseudo_count
    sums = shares.T @ np.asarray(values, dtype=np.float64) + pseudo_count / len(totals)
    return np.where(totals > 0, sums / np.where(totals > 0, totals, 1.0), np.eye(len(totals)))
