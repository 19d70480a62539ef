"""Hard example mining: what the classifier knows already gets no weight."""

import numpy as np
import tensorflow as tf


def hard_mining(losses: tf.Tensor, is_positive: tf.Tensor, *, lambda_) -> tf.Tensor:
    """v = 1(l > λ (1 - y)) with y = 1 for positives, which are kept whatever their loss.

    Detection has few positives and many easy negatives. Here the rare classes take the place of
    the positives, see `minority_classes`. It rises with the loss, so no regulariser has it as its
    minimiser.

    Args:
        losses: l >= 0, [..].
        is_positive: [..], booleans.
        lambda_: λ, at least 0.

    Returns:
        Weights of 0 and 1, [..].

    References:
        Malisiewicz, Gupta and Efros, Ensemble of Exemplar-SVMs, ICCV 2011.
    """
    hard = losses > lambda_
    return tf.cast(hard | is_positive, losses.dtype)


def minority_classes(class_counts) -> np.ndarray:
    """[C] booleans: the classes with less than half as many examples as the largest one.

    Half, so that the small differences noise makes between equal classes do not count.
    """
    counts = np.asarray(class_counts)
    return counts < counts.max() / 2
