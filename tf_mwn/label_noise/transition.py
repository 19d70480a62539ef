"""Estimates of the transition matrix T[i, j] = P(given label j | true class i)."""

import numpy as np

from tf_mwn.label_noise.calibration import fit_temperature
from tf_mwn.label_noise.class_means import class_means

# Keeps every entry above 0: EM cannot raise an entry that has become 0.
_PSEUDO_COUNT = 0.1
# A classifier has memorised labels if it gives them more probability than it would give equally
# noisy labels of unseen examples, by more standard errors of the latter than this.
_STANDARD_ERRORS = 2.0


def estimate_transition(
    probabilities: np.ndarray, labels: np.ndarray, steps: int = 200, tolerance: float = 1e-6
) -> np.ndarray:
    """The matrix under which the given labels are likeliest, if the class probabilities are right.

    EM maximises Σ_n log Σ_i p_ni T[i, y_n] over T. The objective is concave in T, so that the start
    does not matter. The E-step is P(true i | x_n, y_n) ∝ p_ni T[i, y_n]; the M-step counts.

    Args:
        probabilities: p, [N, C], of the true class given the input.
        labels: y, [N] given labels in 0..C-1.
        steps: largest number of EM steps.
        tolerance: EM ends when no entry changes by more than this.

    Returns:
        [C, C], rows sum to 1, every entry above 0.

    References:
        Dawid and Skene, Applied Statistics 1979, with one observer, and inputs in place of the
        class prior. https://doi.org/10.2307/2346806
    """
    num_classes = probabilities.shape[1]
    given = np.eye(num_classes)[labels]
    matrix = 0.5 * np.eye(num_classes) + 0.5 / num_classes
    for _ in range(steps):
        joint = probabilities * matrix.T[labels]
        new = class_means(joint / joint.sum(axis=1, keepdims=True), given, _PSEUDO_COUNT)
        change = np.abs(new - matrix).max()
        matrix = new
        if change <= tolerance:
            break
    return matrix


def held_out_confusion(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """M[i, k]: the mean probability of class k over clean examples of class i.

    For a classifier that was fitted to noisy labels, M shows the noise on examples that the
    classifier was not fitted to.

    Args:
        probabilities: [M, C] of examples that the classifier was not trained on.
        labels: [M] their true classes.

    Returns:
        [C, C], rows sum to 1, every entry above 0.

    References:
        Hendrycks et al., NeurIPS 2018, https://arxiv.org/abs/1802.05300 (gold loss correction).
    """
    classes = np.eye(probabilities.shape[1])[labels]
    return class_means(classes, probabilities, _PSEUDO_COUNT)


def choose_transition(
    probabilities: np.ndarray,
    labels: np.ndarray,
    clean_probabilities: np.ndarray | None = None,
    clean_labels: np.ndarray | None = None,
) -> tuple[np.ndarray, str]:
    """The estimate whose condition holds.

    `estimate_transition` wants probabilities of the true class. A classifier that has memorised its
    labels agrees with all of them, so that it finds no noise; `held_out_confusion` does, but takes
    every error on unseen examples for noise. So the first is taken unless labels are memorised:
    unless the classifier gives the labels that it was trained on more probability than it gives
    labels of the clean examples that are as noisy as the first estimate says.

    Plain training on much noise may pass, for it has learned part of the noise on every input: too
    few suspects are found then, but most of them are wrong.

    Returns:
        The matrix [C, C], and what it is estimated from: "training labels" or "meta set".
    """
    matrix = estimate_transition(probabilities, labels)
    if clean_probabilities is None:
        return matrix, "training labels"
    confusion = held_out_confusion(clean_probabilities, clean_labels)
    more_noise = np.trace(confusion) < np.trace(matrix)
    if more_noise and _memorised(probabilities, labels, matrix, clean_probabilities, clean_labels):
        return confusion, "meta set"
    return matrix, "training labels"


def _memorised(probabilities, labels, matrix, clean_probabilities, clean_labels) -> bool:
    """Whether the given labels have more probability than labels of unseen examples would have."""
    seen = probabilities[np.arange(len(labels)), labels].mean()
    true = probabilities * matrix.T[labels]  # P(true i | x, y), unnormalised
    shares = (true / true.sum(axis=1, keepdims=True)).mean(axis=0)
    weight = shares[clean_labels] / np.bincount(clean_labels)[clean_labels]
    weight = weight / weight.sum()
    unseen = (matrix[clean_labels] * clean_probabilities).sum(axis=1)
    expected = weight @ unseen
    error = np.sqrt((weight**2) @ (unseen - expected) ** 2 * len(weight) / max(1, len(weight) - 1))
    return bool(seen > expected + _STANDARD_ERRORS * error)


def calibrated_transition(
    logits: np.ndarray,
    labels: np.ndarray,
    clean: tuple[np.ndarray, np.ndarray] | None = None,
    offset: np.ndarray | float = 0.0,
) -> tuple[float, np.ndarray, str]:
    """The temperature of the probabilities, and the matrix of `choose_transition` under it.

    Args:
        logits: [N, C] of the training examples.
        labels: [N] given labels.
        clean: logits [M, C] and true classes [M] of examples that the classifier was not trained
            on. Without them the temperature is 1.
        offset: [C], see `audit_logits`; added after the division by the temperature.

    Returns:
        The temperature, the matrix [C, C], and what the matrix is estimated from.
    """
    from scipy.special import softmax

    if clean is None:
        p = softmax(logits.astype(np.float64) + offset, axis=1)
        return 1.0, *choose_transition(p, labels)
    clean_logits, clean_labels = clean[0].astype(np.float64), clean[1]
    temperature = fit_temperature(clean_logits, clean_labels)
    p = softmax(logits.astype(np.float64) / temperature + offset, axis=1)
    clean_p = softmax(clean_logits / temperature + offset, axis=1)
    return temperature, *choose_transition(p, labels, clean_p, clean_labels)


def log_posterior(
    log_probabilities: np.ndarray, matrix: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """log P(true i | x, given y) + constant, [N, C]: log p_i + log T[i, y]."""
    return log_probabilities + np.log(matrix).T[labels]


def log_odds(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """log P(label) - log P(any other class), [N], of unnormalised log probabilities [N, C]."""
    from scipy.special import logsumexp

    rows = np.arange(len(labels))
    others = scores.copy()
    others[rows, labels] = -np.inf
    return scores[rows, labels] - logsumexp(others, axis=1)
