"""Forward correction by a known label transition matrix."""

from typing import Any

import keras
import tensorflow as tf

from tf_mwn.checks import check_transition_matrix
from tf_mwn.losses.cross_entropy import expectation
from tf_mwn.losses.loss_class import PerExampleLoss
from tf_mwn.losses.targets import as_logits, class_numbers, hyper_parameter, target_distribution
from tf_mwn.tensors import HyperParameter, Labels, Logits, Losses, Tensor


def forward_correction(
    labels: Labels, logits: Logits, *, transition_matrix: HyperParameter
) -> Losses:
    """-ln (Tᵀ p)_y: the cross-entropy of the given label under the prediction passed through T.

    With p = softmax(z) and T[i, j] = P(label j given true class i); T = I is cross-entropy. A
    class number reads one column of T; one-hot or soft labels take all, C times the memory.

    Args:
        labels: class numbers [..], or one-hot labels [.., C]; soft labels give the expected loss.
        logits: z, [.., C].
        transition_matrix: T, [C, C], rows that sum to 1; floats or a tensor, differentiable also
            where an entry is 0.

    Returns:
        [..], never reduced, in at least float32; in [0, ∞). About 1e30 for a label that T never
        gives.

    Raises:
        ValueError: shapes that do not fit.

    Examples:
        >>> from tf_mwn.losses.label_correction import forward_correction
        >>> logits = np.array([[2.0, 0.0], [-2.0, 0.0]], "float32")  # one right, one wrong
        >>> matrix = [[0.8, 0.2], [0.2, 0.8]]
        >>> forward_correction([0, 0], logits, transition_matrix=matrix).numpy().round(2)
        array([0.32, 1.3 ], dtype=float32)

    See Also:
        - `ForwardCorrection`: the same for `compile`.
        - `GoldLossCorrection`, `SModel`: estimate the matrix.

    References:
        Patrini et al., Making Deep Neural Networks Robust to Label Noise: a Loss Correction
        Approach, CVPR 2017, theorem 2. https://arxiv.org/abs/1609.03683
    """
    logits = as_logits(logits)
    matrix = hyper_parameter(transition_matrix, logits.dtype)
    log_p = tf.nn.log_softmax(logits)
    target = target_distribution(labels, logits)
    if class_numbers(labels, logits) is not None:
        return -_log_mixture(tf.linalg.matvec(matrix, target), log_p)
    class_losses = -_log_mixture(tf.transpose(matrix), log_p[..., tf.newaxis, :])
    return expectation(target, class_losses)


def _log_mixture(weights: Tensor, log_p: Tensor) -> Tensor:
    """ln Σ_i w_i p_i over the last axis, from ln p, for w >= 0."""
    floor = tf.constant(-1e30, log_p.dtype)
    reachable = tf.where(tf.equal(weights, 0), floor, log_p)
    shift = tf.stop_gradient(tf.reduce_max(reachable, axis=-1, keepdims=True))
    # A class of weight 0 may be far more probable than the shift. The bound keeps its term
    # finite, and the derivative in its weight right up to e^50.
    terms = weights * tf.exp(tf.minimum(log_p - shift, 50.0))
    total = tf.maximum(tf.reduce_sum(terms, axis=-1), log_p.dtype.as_numpy_dtype(1e-37))
    return tf.math.log(total) + tf.squeeze(shift, axis=-1)


@keras.saving.register_keras_serializable(package="tf_mwn.losses")
class ForwardCorrection(PerExampleLoss):
    """`forward_correction` for `compile`.

    Args:
        transition_matrix: T, [C, C], rows that sum to 1.
        **kwargs: `name`, `reduction` and `dtype`, as in `keras.losses.Loss`.

    Raises:
        ValueError: no such matrix.

    Examples:
        >>> from tf_mwn.losses.label_correction import ForwardCorrection
        >>> matrix = [[0.8, 0.2], [0.2, 0.8]]
        >>> classifier.compile("sgd", loss=ForwardCorrection(transition_matrix=matrix))

    See Also:
        `forward_correction`: the loss of each example.
    """

    function = staticmethod(forward_correction)

    def __init__(self, transition_matrix: Any, **kwargs: Any) -> None:
        matrix = check_transition_matrix(transition_matrix)
        super().__init__({"transition_matrix": matrix.tolist()}, **kwargs)
