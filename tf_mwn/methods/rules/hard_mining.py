"""Hard example mining: examples that the classifier already knows get no weight."""

import numpy as np
import tensorflow as tf


def hard_mining(losses: tf.Tensor, is_positive: tf.Tensor, *, lambda_) -> tf.Tensor:
    """v = 1(l > λ (1 - y)), with y = 1 for positives: they are kept at any loss.

    Detection has few positives and many easy negatives. Here the rare classes are the positives,
    see `minority_classes`. v rises with the loss, so it has no regulariser.

    Args:
        losses: l >= 0, [..].
        is_positive: booleans [..].
        lambda_: λ, at least 0.

    Returns:
        Weights of 0 and 1, [..].

    References:
        Malisiewicz, Gupta and Efros, Ensemble of Exemplar-SVMs, ICCV 2011.
    """
    hard = losses > lambda_
    return tf.cast(hard | is_positive, losses.dtype)


def minority_classes(class_counts) -> np.ndarray:
    """Booleans [C]: the classes with less than half as many examples as the largest one.

    The factor of a half ignores the small differences that noise makes between equal classes.
    """
    counts = np.asarray(class_counts)
    return counts < counts.max() / 2
