"""Estimates of the transition matrix T[i, j] = P(given label j | true class i)."""

import dataclasses

import numpy as np

from tf_mwn.label_noise.calibration import fit_temperature
from tf_mwn.label_noise.class_means import class_means

# Keeps every entry above 0: EM cannot raise an entry that has become 0.
_PSEUDO_COUNT = 0.1


@dataclasses.dataclass(frozen=True)
class Estimate:
    """An estimate of the transition matrix.

    Attributes:
        matrix: [C, C], rows sum to 1, every entry above 0; by which labels are ranked.
        planted: [C, C] likewise; by which errors are planted in clean examples.
        source: what it is from, "training labels" or "meta set".
    """

    matrix: np.ndarray
    planted: np.ndarray
    source: str


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
    by_label = probabilities[np.argsort(labels, kind="stable")].astype(np.float64, copy=False)
    ends = np.bincount(labels, minlength=num_classes).cumsum()[:-1]
    given = list(enumerate(np.split(by_label, ends)))
    matrix = 0.5 * np.eye(num_classes) + 0.5 / num_classes
    for _ in range(steps):
        # Σ_n P(true i | x_n, y_n = j) = T[i, j] Σ_n p_ni / (Σ_k p_nk T[k, j]), without an [N, C].
        shares = [matrix[:, j] * ((1 / (p @ matrix[:, j])) @ p) for j, p in given]
        counts = np.stack(shares, axis=1) + _PSEUDO_COUNT / num_classes
        new = counts / counts.sum(axis=1, keepdims=True)
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
        [C, C], rows sum to 1, every entry above 0. The row of a class without examples is uniform.

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
) -> Estimate:
    """The better of both estimates: the one that finds more noise.

    Each of them misses noise in one case. A classifier that has memorised its labels agrees with
    all of them, so that `estimate_transition` finds no noise. A robust classifier predicts clean
    labels, so that `held_out_confusion` finds only its errors. Neither finds much noise that is
    not there, although the second counts errors on held-out examples as noise. So for a weak
    classifier the noise lies between them, and errors are planted at their mean: by the second
    alone an audit promises too much. Both have the row of the first for a class without clean
    examples.
    """
    matrix = estimate_transition(probabilities, labels)
    if clean_probabilities is None:
        return Estimate(matrix, matrix, "training labels")
    confusion = held_out_confusion(clean_probabilities, clean_labels)
    unknown = np.bincount(clean_labels, minlength=len(matrix)) == 0
    confusion[unknown] = matrix[unknown]
    if np.trace(confusion) < np.trace(matrix):
        return Estimate(confusion, (matrix + confusion) / 2, "meta set")
    return Estimate(matrix, matrix, "training labels")


def calibrated_transition(
    logits: np.ndarray,
    labels: np.ndarray,
    clean: tuple[np.ndarray, np.ndarray] | None = None,
    offset: np.ndarray | float = 0.0,
) -> tuple[float, Estimate]:
    """The temperature of the probabilities, and the matrix of `choose_transition` under it.

    Args:
        logits: [N, C] of the training examples.
        labels: [N] given labels.
        clean: logits [M, C] and true classes [M] of examples that the classifier was not trained
            on. Without them the temperature is 1.
        offset: [C], see `audit_logits`; added after the division by the temperature.

    Returns:
        The temperature, and the estimate.
    """
    from scipy.special import softmax

    if clean is None:
        p = softmax(logits.astype(np.float64) + offset, axis=1)
        return 1.0, choose_transition(p, labels)
    clean_logits, clean_labels = clean[0].astype(np.float64), clean[1]
    temperature = fit_temperature(clean_logits, clean_labels)
    p = softmax(logits.astype(np.float64) / temperature + offset, axis=1)
    clean_p = softmax(clean_logits / temperature + offset, axis=1)
    return temperature, choose_transition(p, labels, clean_p, clean_labels)


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
