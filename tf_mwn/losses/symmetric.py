"""Mean absolute error, reverse cross-entropy and symmetric cross-entropy."""

from typing import Any

import keras
import tensorflow as tf

from tf_mwn.checks import NEGATIVE, NON_NEGATIVE
from tf_mwn.losses.admissible import LOG_ZERO
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.losses.loss_class import PerExampleLoss
from tf_mwn.losses.targets import as_logits, hyper_parameter, target_distribution
from tf_mwn.tensors import HyperParameter, Labels, Logits, Losses


def mean_absolute_error(labels: Labels, logits: Logits) -> Losses:
    """Σ_j |p_j - y_j|, with p = softmax(z); 2 - 2 p_y for a class number y.

    The sum over classes is not divided by C. Some code drops the factor 2; here it is kept, so
    that the value is the ℓ1 distance.

    Args:
        labels: class numbers [..], or one-hot or soft labels [.., C].
        logits: z, [.., C].

    Returns:
        [..], never reduced, in at least float32; in [0, 2].

    Raises:
        ValueError: shapes that do not fit.

    Examples:
        >>> from tf_mwn.losses.symmetric import mean_absolute_error
        >>> logits = np.array([[2.0, 0.0], [-2.0, 0.0]], "float32")  # one right, one wrong
        >>> mean_absolute_error([0, 0], logits).numpy().round(2)
        array([0.24, 1.76], dtype=float32)

    See Also:
        `MeanAbsoluteError`: the same for `compile`.

    References:
        Ghosh, Kumar and Sastry, Robust Loss Functions under Label Noise for Deep Neural Networks,
        AAAI 2017. https://arxiv.org/abs/1712.09482
    """
    logits = as_logits(logits)
    difference = tf.nn.softmax(logits) - target_distribution(labels, logits)
    return tf.reduce_sum(tf.abs(difference), axis=-1)


def reverse_cross_entropy(
    labels: Labels, logits: Logits, *, log_zero: HyperParameter = LOG_ZERO
) -> Losses:
    """-Σ_j p_j max(ln y_j, A), with p = softmax(z); -A (1 - p_y) for a class number y.

    A = -2 gives the mean absolute error.

    Args:
        labels: class numbers [..], or one-hot or soft labels [.., C].
        logits: z, [.., C].
        log_zero: A, the value that stands for ln 0; float or scalar tensor, below 0.

    Returns:
        [..], never reduced, in at least float32; in [0, -A] for labels that sum to 1.

    Raises:
        ValueError: shapes that do not fit.
    """
    logits = as_logits(logits)
    floor = hyper_parameter(log_zero, logits.dtype)
    target = target_distribution(labels, logits)
    # Not "target > 0": NaN, the mark of an unknown class, has to come through.
    positive = tf.not_equal(target, 0)
    log_target = tf.math.log(tf.where(positive, target, tf.ones_like(target)))
    log_target = tf.where(positive, tf.maximum(log_target, floor), floor)
    return -tf.reduce_sum(tf.nn.softmax(logits) * log_target, axis=-1)


def symmetric_cross_entropy(
    labels: Labels,
    logits: Logits,
    *,
    alpha: HyperParameter = 0.1,
    beta: HyperParameter = 1.0,
    log_zero: HyperParameter = LOG_ZERO,
) -> Losses:
    """α CE + β RCE, with RCE = -A (1 - p_y); ∂/∂z = (α - β A p_y)(p - e_y).

    The sources disagree on A: the authors' code clips the labels at 1e-4, so A = ln 1e-4 =
    -9.2103404, the default here; their text discusses A = -6 and A = -4, and log10 1e-4 = -4 is
    used by others.

    Args:
        labels: class numbers [..], or one-hot or soft labels [.., C].
        logits: z, [.., C].
        alpha: weight of the cross-entropy; float or scalar tensor, at least 0. 0.1 is the authors'
            choice for ten classes, 6 for a hundred.
        beta: weight of the reverse cross-entropy; float or scalar tensor, at least 0. 1 for ten
            classes; for a hundred 0.1 in the authors' paper, and 1 in one later command.
        log_zero: A; float or scalar tensor, below 0.

    Returns:
        [..], never reduced, in at least float32; in [0, ∞).

    Raises:
        ValueError: shapes that do not fit.

    Examples:
        >>> from tf_mwn.losses.symmetric import symmetric_cross_entropy
        >>> logits = np.array([[2.0, 0.0], [-2.0, 0.0]], "float32")  # one right, one wrong
        >>> symmetric_cross_entropy([0, 0], logits).numpy().round(2)
        array([1.11, 8.33], dtype=float32)

    See Also:
        - `SymmetricCrossEntropy`: the same for `compile`.
        - `LearnedLoss`: learns α and β.

    References:
        Wang et al., Symmetric Cross Entropy for Robust Learning with Noisy Labels, ICCV 2019,
        section 4. https://arxiv.org/abs/1908.06112
    """
    forward = cross_entropy(labels, logits)
    reverse = reverse_cross_entropy(labels, logits, log_zero=log_zero)
    alpha, beta = (hyper_parameter(weight, forward.dtype) for weight in (alpha, beta))
    return alpha * forward + beta * reverse


@keras.saving.register_keras_serializable(package="tf_mwn.losses")
class MeanAbsoluteError(PerExampleLoss):
    """`mean_absolute_error` on logits for `compile`.

    Args:
        **kwargs: `name`, `reduction` and `dtype`, as in `keras.losses.Loss`.

    Examples:
        >>> from tf_mwn.losses.symmetric import MeanAbsoluteError
        >>> classifier.compile("sgd", loss=MeanAbsoluteError())

    See Also:
        `mean_absolute_error`: the loss of each example.
    """

    function = staticmethod(mean_absolute_error)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)


@keras.saving.register_keras_serializable(package="tf_mwn.losses")
class SymmetricCrossEntropy(PerExampleLoss):
    """`symmetric_cross_entropy` for `compile`.

    Args:
        alpha: in [0, inf).
        beta: in [0, inf).
        log_zero: A, in (-inf, 0).
        **kwargs: `name`, `reduction` and `dtype`, as in `keras.losses.Loss`.

    Raises:
        ValueError: a hyper-parameter outside its set.

    Examples:
        >>> from tf_mwn.losses.symmetric import SymmetricCrossEntropy
        >>> classifier.compile("sgd", loss=SymmetricCrossEntropy(alpha=0.1, beta=1.0))

    See Also:
        `symmetric_cross_entropy`: the loss of each example.
    """

    function = staticmethod(symmetric_cross_entropy)

    def __init__(
        self, alpha: float = 0.1, beta: float = 1.0, log_zero: float = LOG_ZERO, **kwargs: Any
    ) -> None:
        hyper_parameters = {
            "alpha": NON_NEGATIVE.check("alpha", alpha),
            "beta": NON_NEGATIVE.check("beta", beta),
            "log_zero": NEGATIVE.check("log_zero", log_zero),
        }
        super().__init__(hyper_parameters, **kwargs)
