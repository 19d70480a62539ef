"""Losses for long-tailed data, made from the number of examples of each class."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_mwn.checks import NON_NEGATIVE, POSITIVE, check_class_counts
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.losses.loss_class import PerExampleLoss
from tf_mwn.losses.targets import as_logits, hyper_parameter, target_distribution
from tf_mwn.tensors import HyperParameter, Labels, Logits, Losses, Tensor


def class_balanced_weights(class_counts: Sequence[int], *, beta: HyperParameter = 0.9999) -> Tensor:
    """v_c ∝ (1-β)/(1-β^{n_c}), scaled to sum C: the inverse of the effective number of examples.

    β = 0 gives 1 everywhere; β -> 1 gives v_c ∝ 1/n_c.

    Args:
        class_counts: n, [C], each at least 1.
        beta: β, float or scalar tensor in [0, 1]; differentiable inside (0, 1).

    Returns:
        v, [C], float64, so that 1 - β^n keeps its digits whatever the dtype of β.

    References:
        Cui et al., Class-Balanced Loss Based on Effective Number of Samples, CVPR 2019,
        proposition 1. https://arxiv.org/abs/1901.05555
    """
    counts = hyper_parameter(class_counts, tf.float64)
    beta = hyper_parameter(beta, tf.float64)
    inside = (beta > 0) & (beta < 1)
    safe = tf.where(inside, beta, tf.constant(0.5, tf.float64))
    weights = (1 - safe) / -tf.math.expm1(counts * tf.math.log(safe))
    at_the_ends = tf.where(beta > 0, 1 / counts, tf.ones_like(counts))
    weights = tf.where(inside, weights, at_the_ends)
    return weights * tf.cast(tf.size(counts), tf.float64) / tf.reduce_sum(weights)


def ldam_margins(class_counts: Sequence[int], *, max_margin: HyperParameter = 0.5) -> Tensor:
    """m_c = max_margin · n_c^{-1/4} / max_k n_k^{-1/4}: the rarest class has the widest margin.

    Args:
        class_counts: n, [C], each at least 1.
        max_margin: float or scalar tensor, at least 0.

    Returns:
        m, [C], float64.
    """
    scales = tf.pow(hyper_parameter(class_counts, tf.float64), -0.25)
    return hyper_parameter(max_margin, tf.float64) * scales / tf.reduce_max(scales)


def ldam(
    labels: Labels, logits: Logits, *, margins: HyperParameter, scale: HyperParameter = 30.0
) -> Losses:
    """The cross-entropy of s (z - m_y e_y): the label's logit has to lead by its class's margin.

    The margins presume logits that are cosines, from a normalised last layer, in [-1, 1]; the
    scale s makes up for that. m = 0 and s = 1 is cross-entropy.

    Args:
        labels: class numbers [..], or one-hot labels [.., C]. With soft labels each class loses
            its margin in proportion to its share of the label.
        logits: z, [.., C].
        margins: m, [C]; floats or a tensor, see `ldam_margins`.
        scale: s, float or scalar tensor, above 0.

    Returns:
        [..], never reduced, in at least float32; in [0, ∞).

    Raises:
        ValueError: shapes that do not fit.

    Examples:
        >>> from tf_mwn.losses.class_counts import ldam
        >>> logits = np.array([[2.0, 0.0], [-2.0, 0.0]], "float32")  # one right, one wrong
        >>> ldam([0, 0], logits, margins=[0.1, 0.5], scale=1.0).numpy().round(2)
        array([0.14, 2.22], dtype=float32)

    See Also:
        - `LDAM`: the same for `compile`.
        - `LogitAdjustment`: another correction for rare classes.

    References:
        Cao et al., Learning Imbalanced Datasets with Label-Distribution-Aware Margin Loss,
        NeurIPS 2019, section 3. https://arxiv.org/abs/1906.07413
    """
    logits = as_logits(logits)
    margins, scale = (hyper_parameter(value, logits.dtype) for value in (margins, scale))
    target = target_distribution(labels, logits)
    return cross_entropy(target, scale * (logits - target * margins))


def _ldam_of_counts(
    labels: Labels,
    logits: Logits,
    class_counts: Sequence[int],
    max_margin: HyperParameter,
    scale: HyperParameter,
) -> Losses:
    margins = ldam_margins(class_counts, max_margin=max_margin)
    return ldam(labels, logits, margins=margins, scale=scale)


@keras.saving.register_keras_serializable(package="tf_mwn.losses")
class LDAM(PerExampleLoss):
    """`ldam` for `compile`, with the margins of `ldam_margins`.

    Args:
        class_counts: number of training examples of each class, in [1, inf).
        max_margin: in [0, inf).
        scale: in (0, inf).
        **kwargs: `name`, `reduction` and `dtype`, as in `keras.losses.Loss`.

    Raises:
        ValueError: an argument outside its set.

    Examples:
        >>> from tf_mwn.losses.class_counts import LDAM
        >>> classifier.compile("sgd", loss=LDAM(class_counts=[90, 10]))

    See Also:
        `ldam`: the loss of each example.
    """

    function = staticmethod(_ldam_of_counts)

    def __init__(
        self,
        class_counts: Sequence[int],
        max_margin: float = 0.5,
        scale: float = 30.0,
        **kwargs: Any,
    ) -> None:
        hyper_parameters = {
            "class_counts": check_class_counts(class_counts),
            "max_margin": NON_NEGATIVE.check("max_margin", max_margin),
            "scale": POSITIVE.check("scale", scale),
        }
        super().__init__(hyper_parameters, **kwargs)
