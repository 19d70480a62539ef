"""Weights that undo a difference between the class priors of training and test."""

import numpy as np


def class_prior_weights(class_counts, *, clip: float = 100.0) -> np.ndarray:
    """v_c = π_test(c)/π_train(c); under class shift this is p_test(x, y)/p_train(x, y).

    The test prior is uniform, so v_c = N/(C n_c), and its mean over the training set is 1 unless
    clipped. The weight depends on the class and not on the loss, so it has no regulariser.

    Args:
        class_counts: n, [C], each at least 1.
        clip: the largest weight.

    Returns:
        v, float64 [C].

    References:
        Zadrozny, Learning and Evaluating Classifiers under Sample Selection Bias, ICML 2004.
    """
    counts = np.asarray(class_counts, np.float64)
    return np.minimum(1 / len(counts) * counts.sum() / counts, clip)
