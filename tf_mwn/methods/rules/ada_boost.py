"""Boosting: misclassified examples weigh more in the next round."""

import tensorflow as tf


def samme(weights: tf.Tensor, is_wrong: tf.Tensor, known: tf.Tensor, num_classes: int):
    """The weights of the next round: w ← w e^{a 1(h ≠ y)}, scaled to mean 1 over the known.

    Here err = Σ w 1(h ≠ y)/Σ w and a = ln((1 - err)/err) + ln(C - 1). For C = 2 this is AdaBoost.
    Afterwards the misclassified examples hold the fraction (C-1)/C of the weight. At err = 0 the
    weights stay as they were. At err >= 1 - 1/C, no better than chance, they return to 1.

    Args:
        weights: w > 0, [N].
        is_wrong: [N]; 1 where the classifier of this round errs, else 0.
        known: [N]; 1 for the examples that took part in the round, else 0. The others have w = 1.
        num_classes: C, at least 2.

    Returns:
        [N].

    References:
        Freund and Schapire, JCSS 1997; Zhu, Zou, Rosset and Hastie, Multi-class AdaBoost,
        Statistics and Its Interface 2009 (SAMME).
    """
    present = weights * known
    wrong = present * is_wrong
    total = tf.reduce_sum(present)
    error = tf.math.divide_no_nan(tf.reduce_sum(wrong), total)
    # e^a as a ratio: no logarithm of 0.
    factor = tf.math.divide_no_nan((1 - error) * (num_classes - 1), error)
    raised = tf.where(is_wrong > 0, weights * factor, weights)
    scale = tf.math.divide_no_nan(tf.reduce_sum(known), tf.reduce_sum(raised * known))
    ones = tf.ones_like(weights)
    boosted = tf.where(known > 0, raised * scale, ones)
    boosted = tf.where(error > 0, boosted, weights)
    return tf.where(error < 1 - 1 / num_classes, boosted, ones)
