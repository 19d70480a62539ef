"""Calibrates probabilities on clean examples."""

import numpy as np


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature t in [e^-3, e^3] at which softmax(z / t) predicts the labels best.

    Args:
        logits: z, [M, C], of examples that the classifier was not trained on.
        labels: [M] their true classes.

    References:
        Guo et al., ICML 2017, https://arxiv.org/abs/1706.04599 (temperature scaling).
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    rows = np.arange(len(labels))

    def loss(log_t: float) -> float:
        return -log_softmax(logits / np.exp(log_t), axis=1)[rows, labels].mean()

    return float(np.exp(minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded").x))
