"""The polynomial soft-weighting loss."""

from typing import Any

import keras
import tensorflow as tf

from tf_mwn.checks import POSITIVE
from tf_mwn.losses.admissible import POLY_SOFT_D
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.losses.loss_class import PerExampleLoss
from tf_mwn.losses.targets import hyper_parameter
from tf_mwn.tensors import HyperParameter, Labels, Logits, Losses

# A loss this close to λ, relative to λ, counts as beyond it: for d > 2 the slope of the weight
# grows without bound there.
_EDGE = 1e-6


def poly_soft(
    labels: Labels, logits: Logits, *, lambda_: HyperParameter = 5.0, d: HyperParameter = 2.0
) -> Losses:
    """((d-1)λ/d) [1 - (1 - l/λ)_+^{d/(d-1)}], with l the cross-entropy.

    Its derivative in l is the weight (1 - l/λ)_+^{1/(d-1)}, so ∂/∂z = weight · (p - e_y): d = 2 is
    linear soft weighting, d -> ∞ self-paced learning (the loss min(l, λ)), λ -> ∞ cross-entropy.
    Where l >= λ the loss is constant and no hyper-parameter gets a signal through the weight;
    λ >= ln C, the loss of a uniform prediction, avoids that for all examples at once.

    Args:
        labels: class numbers [..], or one-hot or soft labels [.., C]; soft labels enter through l.
        logits: z, [.., C].
        lambda_: λ, float or scalar tensor, above 0.
        d: float or scalar tensor, above 1.

    Returns:
        [..], never reduced, in at least float32; in [0, (d-1)λ/d].

    Raises:
        ValueError: shapes that do not fit.

    Examples:
        >>> from tf_mwn.losses.poly_soft import poly_soft
        >>> logits = np.array([[2.0, 0.0], [-2.0, 0.0]], "float32")  # one right, one wrong
        >>> poly_soft([0, 0], logits).numpy().round(2)
        array([0.13, 1.67], dtype=float32)

    See Also:
        - `PolySoft`: the same for `compile`.
        - `LearnedLoss`: learns λ and d.

    References:
        Gong, Li, Meng, Miao and Liu, Decomposition-Based Evolutionary Multiobjective Optimization
        to Self-Paced Learning, IEEE TEVC 2019 (the polynomial family); some papers cite instead
        Zhao et al., Self-Paced Learning for Matrix Factorization, AAAI 2015 (soft weighting).
    """
    return poly_soft_of_loss(cross_entropy(labels, logits), lambda_=lambda_, d=d)


def poly_soft_of_loss(
    losses: Losses, *, lambda_: HyperParameter = 5.0, d: HyperParameter = 2.0
) -> Losses:
    """`poly_soft` of any losses l >= 0, elementwise."""
    lambda_, d = (hyper_parameter(value, losses.dtype) for value in (lambda_, d))
    ratio = losses / lambda_
    beyond = ratio >= 1 - _EDGE
    log_gap = tf.math.log1p(-tf.where(beyond, tf.zeros_like(ratio), ratio))
    bent = -tf.math.expm1(d / (d - 1) * log_gap)
    return (d - 1) / d * lambda_ * tf.where(beyond, tf.ones_like(bent), bent)


@keras.saving.register_keras_serializable(package="tf_mwn.losses")
class PolySoft(PerExampleLoss):
    """`poly_soft` for `compile`.

    Args:
        lambda_: λ, in (0, inf).
        d: in (1, inf).
        **kwargs: `name`, `reduction` and `dtype`, as in `keras.losses.Loss`.

    Raises:
        ValueError: a hyper-parameter outside its set.

    Examples:
        >>> from tf_mwn.losses.poly_soft import PolySoft
        >>> classifier.compile("sgd", loss=PolySoft())

    See Also:
        `poly_soft`: the loss of each example.
    """

    function = staticmethod(poly_soft)

    def __init__(self, lambda_: float = 5.0, d: float = 2.0, **kwargs: Any) -> None:
        hyper_parameters = {
            "lambda_": POSITIVE.check("lambda_", lambda_),
            "d": POLY_SOFT_D.check("d", d),
        }
        super().__init__(hyper_parameters, **kwargs)
