"""The focal loss in its softmax form."""

from typing import Any

import keras
import tensorflow as tf

from tf_mwn.checks import NON_NEGATIVE, check_bool
from tf_mwn.losses.cross_entropy import expectation
from tf_mwn.losses.loss_class import PerExampleLoss
from tf_mwn.losses.targets import as_logits, hyper_parameter, target_distribution
from tf_mwn.tensors import HyperParameter, Labels, Logits, Losses, Tensor


def focal(
    labels: Labels, logits: Logits, *, gamma: HyperParameter = 2.0, detach_modulator: bool = False
) -> Losses:
    """-(1 - p_y)^γ ln p_y, with p = softmax(z).

    ∂/∂z = κ (p - e_y) with κ = (1-p_y)^γ - γ p_y (1-p_y)^{γ-1} ln p_y, or κ = (1-p_y)^γ if the
    modulator is detached; both are in use under this name. γ = 0 is cross-entropy.

    Args:
        labels: class numbers [..], or one-hot labels [.., C]; soft labels give the expected loss.
        logits: z, [.., C], of at least 2 classes.
        gamma: γ, float or scalar tensor, at least 0.
        detach_modulator: whether (1 - p_y)^γ is a constant for the gradient in z. Its gradient in
            γ stays.

    Returns:
        [..], never reduced, in at least float32; in [0, ∞).

    Raises:
        ValueError: shapes that do not fit.

    Examples:
        >>> from tf_mwn.losses.focal import focal
        >>> logits = np.array([[2.0, 0.0], [-2.0, 0.0]], "float32")  # one right, one wrong
        >>> focal([0, 0], logits).numpy().round(2)
        array([0.  , 1.65], dtype=float32)

    See Also:
        `Focal`: the same for `compile`.

    References:
        Lin et al., Focal Loss for Dense Object Detection, ICCV 2017, equation 4 (there for two
        classes). https://arxiv.org/abs/1708.02002
    """
    logits = as_logits(logits)
    gamma = hyper_parameter(gamma, logits.dtype)
    log_rest = log_complement(logits)
    if detach_modulator:
        log_rest = tf.stop_gradient(log_rest)
    class_losses = -tf.exp(gamma * log_rest) * tf.nn.log_softmax(logits)
    return expectation(target_distribution(labels, logits), class_losses)


def log_complement(logits: Logits) -> Tensor:
    """ln(1 - p_j) for p = softmax(z), finite also where p_j rounds to 1.

    Args:
        logits: z, [.., C] of at least 2 classes.

    Returns:
        [.., C], the logarithm of the probability of all other classes.
    """
    log_p = tf.nn.log_softmax(logits)
    is_top = tf.one_hot(
        tf.argmax(logits, axis=-1), logits.shape[-1], on_value=True, off_value=False
    )
    # The top class takes the sum over the others; for any other class p_j <= 1/2.
    others = tf.where(is_top, tf.constant(log_p.dtype.min / 2, log_p.dtype), log_p)
    log_others = tf.reduce_logsumexp(others, axis=-1, keepdims=True)
    p = tf.where(is_top, tf.zeros_like(log_p), tf.exp(log_p))
    return tf.where(is_top, log_others, tf.math.log1p(-p))


@keras.saving.register_keras_serializable(package="tf_mwn.losses")
class Focal(PerExampleLoss):
    """`focal` for `compile`.

    Args:
        gamma: γ, in [0, inf).
        detach_modulator: whether (1 - p_y)^γ is a constant for the gradient.
        **kwargs: `name`, `reduction` and `dtype`, as in `keras.losses.Loss`.

    Raises:
        ValueError: γ outside its set.

    Examples:
        >>> from tf_mwn.losses.focal import Focal
        >>> classifier.compile("sgd", loss=Focal())

    See Also:
        `focal`: the loss of each example.
    """

    function = staticmethod(focal)

    def __init__(self, gamma: float = 2.0, detach_modulator: bool = False, **kwargs: Any) -> None:
        hyper_parameters = {
            "gamma": NON_NEGATIVE.check("gamma", gamma),
            "detach_modulator": check_bool("detach_modulator", detach_modulator),
        }
        super().__init__(hyper_parameters, **kwargs)
