"""Bootstrapped targets: part of the label is the classifier's own prediction."""

from typing import Any

import keras
import tensorflow as tf

from tf_mwn.checks import UNIT
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.losses.loss_class import PerExampleLoss
from tf_mwn.losses.targets import as_logits, hyper_parameter
from tf_mwn.tensors import HyperParameter, Labels, Logits, Losses


def reed_soft(labels: Labels, logits: Logits, *, beta: HyperParameter = 0.95) -> Losses:
    """-Σ_j [β y_j + (1-β) p_j] ln p_j = β CE + (1-β) H(p), with p = softmax(z).

    The gradient flows through the target p as well, as in the common implementations.

    Args:
        labels: class numbers [..], or one-hot or soft labels [.., C].
        logits: z, [.., C].
        beta: β, float or scalar tensor in [0, 1]; 1 is cross-entropy.

    Returns:
        [..], never reduced, in at least float32; in [0, ∞).

    Raises:
        ValueError: shapes that do not fit.

    Examples:
        >>> from tf_mwn.losses.bootstrapping import reed_soft
        >>> logits = np.array([[2.0, 0.0], [-2.0, 0.0]], "float32")  # one right, one wrong
        >>> reed_soft([0, 0], logits).numpy().round(2)
        array([0.14, 2.04], dtype=float32)

    See Also:
        `ReedSoft`: the same for `compile`.

    References:
        Reed et al., Training Deep Neural Networks on Noisy Labels with Bootstrapping, ICLR 2015
        workshop, section 3.2 (soft bootstrapping). https://arxiv.org/abs/1412.6596
    """
    losses = cross_entropy(labels, logits)
    beta = hyper_parameter(beta, losses.dtype)
    log_p = tf.nn.log_softmax(as_logits(logits))
    entropy = -tf.reduce_sum(tf.exp(log_p) * log_p, axis=-1)
    return beta * losses + (1 - beta) * entropy


def reed_hard(labels: Labels, logits: Logits, *, beta: HyperParameter = 0.8) -> Losses:
    """-Σ_j [β y_j + (1-β) 1(j = argmax p)] ln p_j = β CE - (1-β) ln max_j p_j.

    Args:
        labels: class numbers [..], or one-hot or soft labels [.., C].
        logits: z, [.., C]; classes that tie for the maximum share its gradient.
        beta: β, float or scalar tensor in [0, 1]; 1 is cross-entropy.

    Returns:
        [..], never reduced, in at least float32; in [0, ∞).

    Raises:
        ValueError: shapes that do not fit.

    Examples:
        >>> from tf_mwn.losses.bootstrapping import reed_hard
        >>> logits = np.array([[2.0, 0.0], [-2.0, 0.0]], "float32")  # one right, one wrong
        >>> reed_hard([0, 0], logits).numpy().round(2)
        array([0.13, 1.73], dtype=float32)

    See Also:
        `ReedHard`: the same for `compile`.

    References:
        Reed et al., ICLR 2015 workshop, section 3.2 (hard bootstrapping).
        https://arxiv.org/abs/1412.6596
    """
    losses = cross_entropy(labels, logits)
    beta = hyper_parameter(beta, losses.dtype)
    log_top = tf.reduce_max(tf.nn.log_softmax(as_logits(logits)), axis=-1)
    return beta * losses - (1 - beta) * log_top


@keras.saving.register_keras_serializable(package="tf_mwn.losses")
class ReedSoft(PerExampleLoss):
    """`reed_soft` for `compile`.

    Args:
        beta: in [0, 1].
        **kwargs: `name`, `reduction` and `dtype`, as in `keras.losses.Loss`.

    Raises:
        ValueError: β outside its set.

    Examples:
        >>> from tf_mwn.losses.bootstrapping import ReedSoft
        >>> classifier.compile("sgd", loss=ReedSoft())

    See Also:
        `reed_soft`: the loss of each example.
    """

    function = staticmethod(reed_soft)

    def __init__(self, beta: float = 0.95, **kwargs: Any) -> None:
        super().__init__({"beta": UNIT.check("beta", beta)}, **kwargs)


@keras.saving.register_keras_serializable(package="tf_mwn.losses")
class ReedHard(PerExampleLoss):
    """`reed_hard` for `compile`.

    Args:
        beta: in [0, 1].
        **kwargs: `name`, `reduction` and `dtype`, as in `keras.losses.Loss`.

    Raises:
        ValueError: β outside its set.

    Examples:
        >>> from tf_mwn.losses.bootstrapping import ReedHard
        >>> classifier.compile("sgd", loss=ReedHard())

    See Also:
        `reed_hard`: the loss of each example.
    """

    function = staticmethod(reed_hard)

    def __init__(self, beta: float = 0.8, **kwargs: Any) -> None:
        super().__init__({"beta": UNIT.check("beta", beta)}, **kwargs)
