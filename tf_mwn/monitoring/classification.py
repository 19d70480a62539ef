"""Accuracy, confusion and calibration of a classifier."""

from typing import Any

import numpy as np


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray, num_classes: int) -> np.ndarray:
    """[C, C] counts. Row i, column j: the number of examples of class i predicted as j."""
    matrix = np.zeros((num_classes, num_classes), np.int64)
    np.add.at(matrix, (labels, predictions), 1)
    return matrix


def accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Fraction of the examples whose largest logit is their label."""
    return float((logits.argmax(axis=1) == labels).mean())


def balanced_accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Mean recall of the classes that have examples: the accuracy if all were equally frequent."""
    matrix = confusion_matrix(labels, logits.argmax(axis=1), logits.shape[1])
    counts = matrix.sum(axis=1)
    return float(np.mean(np.diag(matrix)[counts > 0] / counts[counts > 0]))


def expected_calibration_error(
    probabilities: np.ndarray, labels: np.ndarray, bins: int = 15
) -> float:
    """Σ_b n_b/N |accuracy_b - mean confidence_b| over equal bins of the largest probability.

    Args:
        probabilities: [N, C].
        labels: [N].
        bins: number of bins; each includes its upper end.

    References:
        Guo et al., ICML 2017, https://arxiv.org/abs/1706.04599, equation 3.
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    bin_of = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gap = np.bincount(bin_of, correct - confidence, minlength=bins)
    return float(np.abs(gap).sum() / len(labels))


def evaluation(logits: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Accuracy, recall of each class, confusion matrix and calibration error.

    Args:
        logits: [N, C].
        labels: [N] classes in 0..C-1.

    Returns:
        "examples", "accuracy", "balanced_accuracy", "expected_calibration_error", "recall" ([C];
        None for a class without examples), "confusion" ([C, C] array).
    """
    from scipy.special import softmax

    probabilities = softmax(logits.astype(np.float64), axis=1)
    matrix = confusion_matrix(labels, logits.argmax(axis=1), logits.shape[1])
    counts = matrix.sum(axis=1)
    return {
        "examples": len(labels),
        "accuracy": float(np.trace(matrix) / len(labels)),
        "balanced_accuracy": balanced_accuracy(logits, labels),
        "expected_calibration_error": expected_calibration_error(probabilities, labels),
        "recall": [float(matrix[i, i] / n) if n else None for i, n in enumerate(counts)],
        "confusion": matrix,
    }
