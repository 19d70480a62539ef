"""Weights that undo a difference between the class priors of training and test."""

import numpy as np


def class_prior_weights(class_counts, *, test_prior=None, clip: float = 100.0) -> np.ndarray:
    """v_c = π_test(c)/π_train(c); under class shift this is p_test(x, y)/p_train(x, y).

    With the uniform test prior v_c = N/(C n_c), and its mean over the training set is 1 unless
    clipped. The weight depends on the class and not on the loss, so it has no regulariser.

    Args:
        class_counts: n, [C], each at least 1.
        test_prior: π_test, [C]; uniform by default.
        clip: the largest weight.

    Returns:
        v, float64 [C].

    References:
        Zadrozny, Learning and Evaluating Classifiers under Sample Selection Bias, ICML 2004.
    """
    counts = np.asarray(class_counts, np.float64)
    prior = np.full(len(counts), 1 / len(counts)) if test_prior is None else np.asarray(test_prior)
    return np.minimum(prior * counts.sum() / counts, clip)
