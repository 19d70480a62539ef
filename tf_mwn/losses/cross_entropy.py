"""Cross-entropy, which the robust losses modify."""

from typing import Any

import keras
import tensorflow as tf

from tf_mwn.losses.loss_class import PerExampleLoss
from tf_mwn.losses.targets import as_logits, target_distribution
from tf_mwn.tensors import Labels, Logits, Losses, Tensor


def cross_entropy(labels: Labels, logits: Logits) -> Losses:
    """-Σ_j y_j ln p_j, with p = softmax(z); -ln p_y for a class number y.

    Args:
        labels: class numbers [..], or one-hot or soft labels [.., C].
        logits: z, [.., C].

    Returns:
        [..], never reduced, in at least float32; in [0, ∞). NaN for a class number outside [0, C).

    Raises:
        ValueError: shapes that do not fit.
    """
    logits = as_logits(logits)
    return expectation(target_distribution(labels, logits), -tf.nn.log_softmax(logits))


def expectation(target: Tensor, class_losses: Tensor) -> Tensor:
    """Σ_j y_j ℓ_j: the expected loss under the label distribution; both [.., C] -> [..]."""
    return tf.reduce_sum(target * class_losses, axis=-1)


@keras.saving.register_keras_serializable(package="tf_mwn.losses", name="CrossEntropy")
class CrossEntropyLoss(PerExampleLoss):
    """`cross_entropy` for `compile`: class numbers and one-hot or soft labels alike.

    Args:
        **kwargs: `name`, `reduction` and `dtype`, as in `keras.losses.Loss`.
    """

    function = staticmethod(cross_entropy)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
