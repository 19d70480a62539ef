"""The regression loss of low-dose CT: Poisson counts behind Gaussian electronic noise."""

from typing import Any

import keras
import tensorflow as tf

from tf_mwn.checks import NON_NEGATIVE, POSITIVE
from tf_mwn.losses.loss_class import PerExampleLoss
from tf_mwn.losses.targets import hyper_parameter
from tf_mwn.tensors import HyperParameter, Labels, Logits, Losses, Tensor


def low_dose_ct(
    counts: Tensor,
    line_integrals: Tensor,
    *,
    incident_count: HyperParameter,
    variance: HyperParameter,
    num_iterations: int = 20,
) -> Tensor:
    """min over q >= 0 of I0 e^{-y} - q (ln I0 - y) + lnΓ(q+1) + (P-q)²/(2σ²), elementwise.

    The negative log-likelihood, up to a constant, of a measured count P = q + ε with the true
    count q ~ Poisson(I0 e^{-y}) and ε ~ N(0, σ²), maximised over q. By the envelope theorem
    ∂/∂y = q* - I0 e^{-y}, with q* the minimiser. σ -> 0 pins q* to P and leaves the Poisson
    likelihood; it is reached without loss of digits, and σ = 0 is allowed where P >= 0.

    Promised derivatives: the first in y, P, I0 and σ², and the second ones in y with any of them.
    All of it is computed in float64, because terms of the size P ln P cancel.

    Args:
        counts: P, any shape; negative values occur when the electronic noise exceeds the signal.
        line_integrals: y, the prediction; the shape of P, or one that broadcasts against it. In
            float32 the loss overflows for y < ln I0 - 88.
        incident_count: I0 > 0, float or tensor that broadcasts against P.
        variance: σ² >= 0, float or tensor that broadcasts against P.
        num_iterations: Newton steps for q*; 20 reach rounding error.

    Returns:
        One value per measurement, never reduced, in at least float32. Unbounded above; can be
        slightly negative (the minimum over a continuous q lies below the one over integers).

    References:
        Xie et al., Robust Low-Dose CT Sinogram Preprocessing via Exploiting Noise-Generating
        Mechanism, IEEE Transactions on Medical Imaging 36(12), 2017.
    """
    line_integrals = tf.convert_to_tensor(line_integrals)
    dtype = tf.float64 if line_integrals.dtype == tf.float64 else tf.float32
    log_expected = tf.math.log(hyper_parameter(incident_count, tf.float64)) - tf.cast(
        line_integrals, tf.float64
    )
    others = [hyper_parameter(value, tf.float64) for value in (counts, variance)]
    zeros = tf.zeros_like(log_expected + others[0] + others[1])
    log_expected, counts, variance = (value + zeros for value in (log_expected, *others))
    return tf.cast(_profile_likelihood(log_expected, counts, variance, num_iterations), dtype)


def most_likely_count(
    log_expected: Tensor, counts: Tensor, variance: Tensor, *, num_iterations: int = 20
) -> Tensor:
    """q* >= 0 that minimises -qη + lnΓ(q+1) + (P-q)²/(2σ²).

    The stationarity h(q) = σ² (ψ(q+1) - η) + q - P rises and is concave: Newton's steps from the
    left of its zero never pass it, and one from the right lands on the left. So the steps start
    from a bound on the left and need no more safeguard than staying at or above 0. One step more,
    from the constant result, carries the first derivatives of q*.

    Args:
        log_expected: η = ln I0 - y, float64.
        counts: P, of the same shape.
        variance: σ² >= 0, of the same shape.
        num_iterations: number of steps.
    """
    constants = [tf.stop_gradient(value) for value in (log_expected, counts, variance)]
    expected = tf.exp(tf.minimum(constants[0], 690.0))
    from_right = _newton_step(tf.maximum(constants[1], expected), *constants)
    start = tf.maximum(from_right, tf.minimum(constants[1], expected - 1))

    def step(i: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
        return i + 1, _newton_step(q, *constants)

    q = tf.while_loop(lambda i, _: i < num_iterations, step, (0, tf.maximum(start, 0.0)))[1]
    return _newton_step(tf.stop_gradient(q), log_expected, counts, variance)


def _newton_step(q: Tensor, log_expected: Tensor, counts: Tensor, variance: Tensor) -> Tensor:
    height = variance * (tf.math.digamma(q + 1) - log_expected) + q - counts
    slope = variance * tf.math.polygamma(tf.ones_like(q), q + 1) + 1
    return tf.maximum(q - height / slope, 0.0)


def _profile_likelihood(
    log_expected: Tensor, counts: Tensor, variance: Tensor, num_iterations: int
) -> Tensor:
    @tf.custom_gradient
    def value_at_minimum(log_expected: Tensor, counts: Tensor, variance: Tensor) -> Any:
        def solve() -> Tensor:
            arguments = (log_expected, counts, variance)
            return most_likely_count(*arguments, num_iterations=num_iterations)

        def gradient(upstream: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            q = solve()
            residual = _scaled_residual(q, log_expected, counts, variance)
            return (
                upstream * (tf.exp(log_expected) - q),
                -upstream * residual,
                -0.5 * upstream * residual**2,
            )

        q = solve()
        residual = _scaled_residual(q, log_expected, counts, variance)
        poisson = tf.exp(log_expected) - q * log_expected + tf.math.lgamma(q + 1)
        return poisson + 0.5 * variance * residual**2, gradient

    return value_at_minimum(log_expected, counts, variance)


def _scaled_residual(q: Tensor, log_expected: Tensor, counts: Tensor, variance: Tensor) -> Tensor:
    """(q - P)/σ², which is η - ψ(q+1) wherever q > 0: exact also for σ -> 0."""
    positive = variance > 0
    at_zero = -counts / tf.where(positive, variance, tf.ones_like(variance))
    at_zero = tf.where(positive, at_zero, tf.zeros_like(at_zero))
    return tf.where(q > 0, log_expected - tf.math.digamma(q + 1), at_zero)


@keras.saving.register_keras_serializable(package="tf_mwn.losses")
class LowDoseCT(PerExampleLoss):
    """`low_dose_ct` for `compile`: y_true are the counts P, y_pred the line integrals y.

    One value per measurement: for outputs [B, H, W] the loss before reduction is [B, H, W].
    Counts of shape [..] go with predictions [.., 1] as well.

    Args:
        incident_count: I0, in (0, inf).
        variance: σ², in [0, inf).
        **kwargs: `name`, `reduction` and `dtype`, as in `keras.losses.Loss`. In float32, counts
            are whole up to 2^24.

    Raises:
        ValueError: an argument outside its set; in `call`, shapes that do not fit.
    """

    function = staticmethod(low_dose_ct)

    def __init__(self, incident_count: float, variance: float, **kwargs: Any) -> None:
        hyper_parameters = {
            "incident_count": POSITIVE.check("incident_count", incident_count),
            "variance": NON_NEGATIVE.check("variance", variance),
        }
        super().__init__(hyper_parameters, **kwargs)

    def call(self, y_true: Labels, y_pred: Logits) -> Losses:
        y_true, y_pred = tf.convert_to_tensor(y_true), tf.convert_to_tensor(y_pred)
        if y_true.shape.rank == y_pred.shape.rank - 1 and y_pred.shape[-1] == 1:
            y_true = y_true[..., tf.newaxis]
        if not y_true.shape.is_compatible_with(y_pred.shape):
            raise ValueError(
                f"y_true: expected the shape of y_pred, {y_pred.shape}, received {y_true.shape}"
            )
        return super().call(y_true, y_pred)
