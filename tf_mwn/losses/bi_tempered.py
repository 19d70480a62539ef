"""The bi-tempered logistic loss, differentiable in its temperatures."""

from typing import Any

import keras
import tensorflow as tf

from tf_mwn.checks import Interval, check_count
from tf_mwn.losses.admissible import LABEL_SMOOTHING, TEMPERATURE_1
from tf_mwn.losses.loss_class import PerExampleLoss
from tf_mwn.losses.targets import as_logits, hyper_parameter, target_distribution
from tf_mwn.losses.tempered import expm1_ratio, log_exp_t, log_t, power_of_exp_t
from tf_mwn.tensors import HyperParameter, Labels, Logits, Losses, Tensor


def tempered_normalizer(logits: Logits, t: HyperParameter, *, num_iterations: int = 20) -> Tensor:
    """λ(z) with Σ_j exp_t(z_j - λ) = 1; log Σ_j e^{z_j} at t = 1.

    The value, the first and every second and third derivative in z and t are those of the
    implicit function, e.g. ∂λ/∂z_k = p_k^t / Σ_j p_j^t.

    Args:
        logits: z, [.., C].
        t: float or scalar tensor, at least 0.
        num_iterations: steps of the iteration; 20 reach rounding error.

    Returns:
        [.., 1], in at least float32.

    References:
        Amid et al., NeurIPS 2019, the normalisation in the appendix (its fixed point is one of
        the two steps here). https://arxiv.org/abs/1906.03361
    """
    logits = as_logits(logits)
    x = normalized_logits(logits, hyper_parameter(t, logits.dtype), num_iterations)
    return logits[..., :1] - x[..., :1]


def tempered_softmax(logits: Logits, t: HyperParameter, *, num_iterations: int = 20) -> Tensor:
    """p_j = exp_t(z_j - λ(z)); softmax at t = 1, heavy-tailed above, with exact zeros below.

    Args:
        logits: z, [.., C].
        t: float or scalar tensor, at least 0.
        num_iterations: see `tempered_normalizer`.

    Returns:
        [.., C], rows that sum to 1.
    """
    logits = as_logits(logits)
    t = hyper_parameter(t, logits.dtype)
    return power_of_exp_t(normalized_logits(logits, t, num_iterations), t, 1.0)


def bi_tempered(
    labels: Labels,
    logits: Logits,
    *,
    t1: HyperParameter = 0.8,
    t2: HyperParameter = 1.2,
    label_smoothing: HyperParameter = 0.0,
    num_iterations: int = 20,
) -> Losses:
    """Σ_j [y_j (log_t1 y_j - log_t1 p_j) - (y_j^{2-t1} - p_j^{2-t1})/(2-t1)], p = tempered softmax.

    With log_t(x) = (x^{1-t} - 1)/(1-t), and p at the temperature t2. For δ = p - y, f_j =
    p_j^{t2-t1} and e_j = p_j^{t2}/Σ_k p_k^{t2}: ∂/∂z_j = δ_j f_j - e_j Σ_k δ_k f_k. Gradients in
    t1, t2 and the label smoothing are exact, alone and mixed with those in z.

    At t1 = t2 = 1 this is KL(y, p): cross-entropy for one-hot labels, cross-entropy less the
    entropy of y for soft ones. (Implementations that switch to cross-entropy there jump by that
    entropy; here the formula's limit is kept.) At t2 = 1 it is the generalised cross-entropy of
    q = 1 - t1, less (1 - Σ_j p_j^{2-t1})/(2-t1).

    Args:
        labels: class numbers [..], or one-hot or soft labels [.., C].
        logits: z, [.., C]; a constant added to all of them changes nothing.
        t1: float or scalar tensor in [0, 1]; below 1 the loss is bounded by 1/(1-t1).
        t2: float or scalar tensor, at least t1; above 1 for heavy tails. Below 1, p has zeros.
        label_smoothing: ε, float or scalar tensor in [0, 1): y ← (1 - ε C/(C-1)) y + ε/(C-1), so
            that the label keeps 1 - ε and every other class gets ε/(C-1).
        num_iterations: see `tempered_normalizer`.

    Returns:
        [..], never reduced, in at least float32; in [0, 1/(1-t1)].

    Raises:
        ValueError: shapes that do not fit.

    Examples:
        >>> from tf_mwn.losses.bi_tempered import bi_tempered
        >>> logits = np.array([[2.0, 0.0], [-2.0, 0.0]], "float32")  # one right, one wrong
        >>> bi_tempered([0, 0], logits, t1=0.8, t2=1.2).numpy().round(2)
        array([0.11, 1.45], dtype=float32)

    See Also:
        - `BiTempered`: the same for `compile`.
        - `LearnedLoss`: learns the temperatures.

    References:
        Amid, Warmuth, Anil and Koren, Robust Bi-Tempered Logistic Loss Based on Bregman
        Divergences, NeurIPS 2019. https://arxiv.org/abs/1906.03361
    """
    logits = as_logits(logits)
    t1, t2 = (hyper_parameter(t, logits.dtype) for t in (t1, t2))
    target = _smoothed(target_distribution(labels, logits), label_smoothing)
    x = normalized_logits(logits, t2, num_iterations)
    log_target = log_t(tf.maximum(target, 1e-10), t1)
    divergence = target * (log_target - _log_t1_of_exp_t2(x, t1, t2))
    powers = tf.pow(target, 2 - t1) - power_of_exp_t(x, t2, 2 - t1)
    return tf.reduce_sum(divergence - powers / (2 - t1), axis=-1)


def normalized_logits(logits: Logits, t: Tensor, num_iterations: int) -> Tensor:
    """x = z - λ(z) [.., C], so that Σ_j exp_t(x_j) = 1; see `tempered_normalizer`.

    The iteration is not differentiated. Two further Newton steps from its constant result are:
    each doubles the order to which a series around the solution is right, 1 and then 3.
    """
    # λ(z + c) = λ(z) + c: a constant shift to maximum 0 keeps the digits of large logits.
    x = logits - tf.stop_gradient(tf.reduce_max(logits, axis=-1, keepdims=True))
    mu = tf.stop_gradient(_solve(tf.stop_gradient(x), tf.stop_gradient(t), num_iterations))
    for _ in range(2):
        mu += _newton_step(x, mu, t)[0]
    return x - mu


def _log_t1_of_exp_t2(x: Tensor, t1: Tensor, t2: Tensor) -> Tensor:
    """log_t1(exp_t2(x)), and log_t1(0) = -1/(1-t1) outside the support."""
    log_p, inside = log_exp_t(x, t2)
    below_one = t1 < 1
    at_zero = tf.where(below_one, -1 / tf.where(below_one, 1 - t1, tf.ones_like(t1)), x.dtype.min)
    return tf.where(inside, expm1_ratio(log_p, 1 - t1), at_zero)


def _smoothed(target: Tensor, label_smoothing: HyperParameter) -> Tensor:
    epsilon = hyper_parameter(label_smoothing, target.dtype)
    classes = target.shape[-1]
    return (1 - epsilon * classes / max(classes - 1, 1)) * target + epsilon / max(classes - 1, 1)


def _solve(x: Tensor, t: Tensor, num_iterations: int) -> Tensor:
    """μ [.., 1] with Σ_j exp_t(x_j - μ) = 1, for logits x of maximum 0.

    The sum is convex and falls in μ, so Newton's steps from 0 climb to the solution without
    passing it. For t >= 1 the steps of the fixed point u = Z(x/u)^{t-1}, u = 1 + (t-1) μ, do so
    too, in one step if all logits are equal; the longer of both is taken.
    """

    def step(i: Tensor, mu: Tensor) -> tuple[Tensor, Tensor]:
        newton, total = _newton_step(x, mu, t)
        fixed_point = (1 + (t - 1) * mu) * expm1_ratio(tf.math.log(total), t - 1)
        return i + 1, mu + tf.where(t >= 1, tf.maximum(newton, fixed_point), newton)

    start = tf.zeros_like(x[..., :1])
    return tf.while_loop(lambda i, _: i < num_iterations, step, (0, start))[1]


def _newton_step(x: Tensor, mu: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """(S - 1)/Σ_j p_j^t and S = Σ_j p_j, for p_j = exp_t(x_j - μ); both [.., 1]."""
    log_p, inside = log_exp_t(x - mu, t)
    mass = tf.cast(inside, x.dtype)
    total = tf.reduce_sum(mass * tf.exp(log_p), axis=-1, keepdims=True)
    slope = tf.reduce_sum(mass * tf.exp(t * log_p), axis=-1, keepdims=True)
    return (total - 1) / slope, total


@keras.saving.register_keras_serializable(package="tf_mwn.losses")
class BiTempered(PerExampleLoss):
    """`bi_tempered` for `compile`.

    Args:
        t1: in [0, 1].
        t2: in [t1, inf).
        label_smoothing: in [0, 1).
        num_iterations: positive integer.
        **kwargs: `name`, `reduction` and `dtype`, as in `keras.losses.Loss`.

    Raises:
        ValueError: an argument outside its set.

    Examples:
        >>> from tf_mwn.losses.bi_tempered import BiTempered
        >>> classifier.compile("sgd", loss=BiTempered(t1=0.8, t2=1.2))

    See Also:
        `bi_tempered`: the loss of each example.
    """

    function = staticmethod(bi_tempered)

    def __init__(
        self,
        t1: float = 0.8,
        t2: float = 1.2,
        label_smoothing: float = 0.0,
        num_iterations: int = 20,
        **kwargs: Any,
    ) -> None:
        t1 = TEMPERATURE_1.check("t1", t1)
        hyper_parameters = {
            "t1": t1,
            "t2": Interval(t1).check("t2", t2),
            "label_smoothing": LABEL_SMOOTHING.check("label_smoothing", label_smoothing),
            "num_iterations": check_count("num_iterations", num_iterations),
        }
        super().__init__(hyper_parameters, **kwargs)
