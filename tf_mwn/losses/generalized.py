"""Generalised cross-entropy and its truncated form."""

import keras
import tensorflow as tf

from tf_mwn.losses.admissible import GCE_Q, TRUNCATION
from tf_mwn.losses.cross_entropy import expectation
from tf_mwn.losses.loss_class import PerExampleLoss
from tf_mwn.losses.targets import as_logits, hyper_parameter, target_distribution
from tf_mwn.losses.tempered import expm1_ratio


def generalized_cross_entropy(labels, logits, *, q=0.7) -> tf.Tensor:
    """L_q = (1 - p_y^q)/q, with p = softmax(z); ∂L_q/∂z = p_y^q (p - e_y).

    q -> 0 is cross-entropy, reached smoothly; q = 1 is 1 - p_y, half the mean absolute error.

    Args:
        labels: class numbers [..], or one-hot labels [.., C]; soft labels give the expected loss
            Σ_j y_j (1 - p_j^q)/q.
        logits: z, [.., C].
        q: float or scalar tensor in (0, 1]; the limit 0 is computed too.

    Returns:
        [..], never reduced, in at least float32; in [0, 1/q].

    Raises:
        ValueError: shapes that do not fit.

    References:
        Zhang and Sabuncu, Generalized Cross Entropy Loss for Training Deep Neural Networks with
        Noisy Labels, NeurIPS 2018, section 3.2. https://arxiv.org/abs/1805.07836
    """
    logits = as_logits(logits)
    q = hyper_parameter(q, logits.dtype)
    class_losses = -expm1_ratio(tf.nn.log_softmax(logits), q)
    return expectation(target_distribution(labels, logits), class_losses)


def truncated_cross_entropy(labels, logits, *, q=0.7, k=0.5, keep=None) -> tf.Tensor:
    """L_q(max(p_y, k)): an example the classifier gives less than k pulls at nothing.

    With `keep`, a mask v decided earlier takes the place of the threshold: v L_q(p_y) + (1-v)
    L_q(k). The mask 1(p_y > k) of the current logits gives back the form without a mask. The
    original training loss v (L_q(p_y) - L_q(k)) differs by the constant L_q(k).

    Args:
        labels: class numbers [..], or one-hot labels [.., C]; soft labels give the expected loss.
        logits: z, [.., C].
        q: float or scalar tensor in (0, 1].
        k: float or scalar tensor in (0, 1).
        keep: None, or one value of 0 or 1 per example, [..]; see `truncation_mask`.

    Returns:
        [..], never reduced, in at least float32; in [0, L_q(k)] without a mask.

    Raises:
        ValueError: shapes that do not fit.

    References:
        Zhang and Sabuncu, NeurIPS 2018, section 3.3. https://arxiv.org/abs/1805.07836
        The authors prune by a mask from the best classifier so far, renewed every few epochs.
    """
    logits = as_logits(logits)
    q = hyper_parameter(q, logits.dtype)
    log_k = tf.math.log(hyper_parameter(k, logits.dtype))
    log_p = tf.nn.log_softmax(logits)
    target = target_distribution(labels, logits)
    if keep is None:
        return expectation(target, -expm1_ratio(tf.maximum(log_p, log_k), q))
    keep = hyper_parameter(keep, logits.dtype)
    kept = expectation(target, -expm1_ratio(log_p, q))
    return keep * kept - (1 - keep) * expm1_ratio(log_k, q)


def truncation_mask(labels, logits, *, k=0.5) -> tf.Tensor:
    """1 where p_y > k, which is where L_q(p_y) < L_q(k) for every q; else 0.

    Args:
        labels: class numbers [..], or one-hot labels [.., C].
        logits: [.., C].
        k: float or scalar tensor in (0, 1).

    Returns:
        [..] of 0 and 1 in the dtype of the losses; no gradient.
    """
    logits = as_logits(logits)
    p_y = expectation(target_distribution(labels, logits), tf.nn.softmax(logits))
    return tf.cast(p_y > hyper_parameter(k, logits.dtype), logits.dtype)


@keras.saving.register_keras_serializable(package="tf_mwn.losses")
class GeneralizedCrossEntropy(PerExampleLoss):
    """`generalized_cross_entropy` for `compile`.

    Args:
        q: in (0, 1].
        **kwargs: `name`, `reduction` and `dtype`, as in `keras.losses.Loss`.

    Raises:
        ValueError: q outside its set.
    """

    function = staticmethod(generalized_cross_entropy)

    def __init__(self, q: float = 0.7, **kwargs):
        super().__init__({"q": GCE_Q.check("q", q)}, **kwargs)


@keras.saving.register_keras_serializable(package="tf_mwn.losses")
class TruncatedCrossEntropy(PerExampleLoss):
    """`truncated_cross_entropy` for `compile`, with the threshold on the current logits.

    Args:
        q: in (0, 1].
        k: in (0, 1).
        **kwargs: `name`, `reduction` and `dtype`, as in `keras.losses.Loss`.

    Raises:
        ValueError: a hyper-parameter outside its set.
    """

    function = staticmethod(truncated_cross_entropy)

    def __init__(self, q: float = 0.7, k: float = 0.5, **kwargs):
        hyper_parameters = {"q": GCE_Q.check("q", q), "k": TRUNCATION.check("k", k)}
        super().__init__(hyper_parameters, **kwargs)
