"""Generalised cross-entropy."""

from typing import Any

import keras
import tensorflow as tf

from tf_mwn.losses.admissible import GCE_Q
from tf_mwn.losses.cross_entropy import expectation
from tf_mwn.losses.loss_class import PerExampleLoss
from tf_mwn.losses.targets import as_logits, hyper_parameter, target_distribution
from tf_mwn.losses.tempered import expm1_ratio
from tf_mwn.tensors import HyperParameter, Labels, Logits, Losses


def generalized_cross_entropy(labels: Labels, logits: Logits, *, q: HyperParameter = 0.7) -> Losses:
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

    Examples:
        >>> from tf_mwn.losses.generalized import generalized_cross_entropy
        >>> logits = np.array([[2.0, 0.0], [-2.0, 0.0]], "float32")  # one right, one wrong
        >>> generalized_cross_entropy([0, 0], logits, q=0.7).numpy().round(2)
        array([0.12, 1.11], dtype=float32)

    See Also:
        - `GeneralizedCrossEntropy`: the same for `compile`.
        - `LearnedLoss`: learns q.

    References:
        Zhang and Sabuncu, Generalized Cross Entropy Loss for Training Deep Neural Networks with
        Noisy Labels, NeurIPS 2018, section 3.2. https://arxiv.org/abs/1805.07836
    """
    logits = as_logits(logits)
    q = hyper_parameter(q, logits.dtype)
    class_losses = -expm1_ratio(tf.nn.log_softmax(logits), q)
    return expectation(target_distribution(labels, logits), class_losses)


@keras.saving.register_keras_serializable(package="tf_mwn.losses")
class GeneralizedCrossEntropy(PerExampleLoss):
    """`generalized_cross_entropy` for `compile`.

    Args:
        q: in (0, 1].
        **kwargs: `name`, `reduction` and `dtype`, as in `keras.losses.Loss`.

    Raises:
        ValueError: q outside its set.

    Examples:
        >>> from tf_mwn.losses.generalized import GeneralizedCrossEntropy
        >>> classifier.compile("sgd", loss=GeneralizedCrossEntropy(q=0.7))

    See Also:
        `generalized_cross_entropy`: the loss of each example.
    """

    function = staticmethod(generalized_cross_entropy)

    def __init__(self, q: float = 0.7, **kwargs: Any) -> None:
        super().__init__({"q": GCE_Q.check("q", q)}, **kwargs)
