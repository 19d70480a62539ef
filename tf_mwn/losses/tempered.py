"""The two functions behind every tempered loss, with their limits.

(e^{sa} - 1)/s and ln(1 + sa)/s are inverse to each other and both tend to a as s -> 0. Their
derivatives in s are written out, because differentiating the quotients cancels near s = 0.
"""

import math
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tf_mwn.tensors import Tensor

# Below this, s·a vanishes beside 1 in every dtype, and dividing by s could underflow.
_SMALLEST_S = 1e-30


def expm1_ratio(a: Tensor, s: Tensor) -> Tensor:
    """(e^{sa} - 1)/s, and a at s = 0.

    Smooth in both arguments, to any order and in any order of differentiation.

    Args:
        a: any shape; s·a below the overflow of exp.
        s: broadcasts against a.
    """
    return _expm1_ratio(a + tf.zeros_like(s), s + tf.zeros_like(a))


def log1p_ratio(a: Tensor, s: Tensor) -> Tensor:
    """ln(1 + sa)/s, and a at s = 0; smooth like `expm1_ratio`.

    Args:
        a: any shape; 1 + s·a > 0.
        s: broadcasts against a.
    """
    return _log1p_ratio(a + tf.zeros_like(s), s + tf.zeros_like(a))


def log_t(x: Tensor, t: Tensor) -> Tensor:
    """Tempered logarithm (x^{1-t} - 1)/(1 - t) for x > 0; ln x at t = 1."""
    return expm1_ratio(tf.math.log(x), 1 - t)


def log_exp_t(x: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """ln exp_t(x), and where exp_t(x) = [1 + (1-t)x]_+^{1/(1-t)} is positive.

    Returns:
        The logarithm, 0 outside the support; a bool tensor, True inside the support.
    """
    inside = 1 + (1 - t) * x > 0
    return log1p_ratio(tf.where(inside, x, tf.zeros_like(x)), 1 - t), inside


def power_of_exp_t(x: Tensor, t: Tensor, exponent: Tensor | float) -> Tensor:
    """exp_t(x)^exponent, 0 outside the support."""
    log, inside = log_exp_t(x, t)
    return tf.where(inside, tf.exp(exponent * log), tf.zeros_like(x))


@tf.custom_gradient
def _expm1_ratio(a: Tensor, s: Tensor) -> Any:
    limit, safe = _split_at_zero(s)

    def gradient(upstream: Tensor) -> tuple[Tensor, Tensor]:
        return upstream * tf.exp(s * a), upstream * a * a * _expm1_slope(s * a)

    return tf.where(limit, a, tf.math.expm1(safe * a) / safe), gradient


@tf.custom_gradient
def _log1p_ratio(a: Tensor, s: Tensor) -> Any:
    limit, safe = _split_at_zero(s)

    def gradient(upstream: Tensor) -> tuple[Tensor, Tensor]:
        return upstream / (1 + s * a), upstream * a * a * _log1p_slope(s * a)

    return tf.where(limit, a, tf.math.log1p(safe * a) / safe), gradient


def _split_at_zero(s: Tensor) -> tuple[Tensor, Tensor]:
    limit = tf.abs(s) < _SMALLEST_S
    return limit, tf.where(limit, tf.ones_like(s), s)


def _expm1_slope(b: Tensor) -> Tensor:
    """(b e^b - e^b + 1)/b², the s-derivative of `expm1_ratio` over a²; ½ at 0."""
    near, small, large = _split_at(b, 0.25)
    series = _polynomial(small, [(k + 1) / math.factorial(k + 2) for k in range(13)])
    return tf.where(near, series, (large * tf.exp(large) - tf.math.expm1(large)) / large**2)


def _log1p_slope(b: Tensor) -> Tensor:
    """(b/(1+b) - ln(1+b))/b², the s-derivative of `log1p_ratio` over a²; -½ at 0."""
    near, small, large = _split_at(b, 0.1)
    series = _polynomial(small, [(-1) ** (k + 1) * (k + 1) / (k + 2) for k in range(17)])
    return tf.where(near, series, (large / (1 + large) - tf.math.log1p(large)) / large**2)


def _split_at(b: Tensor, radius: float) -> tuple[Tensor, Tensor, Tensor]:
    near = tf.abs(b) < radius
    return near, tf.where(near, b, tf.zeros_like(b)), tf.where(near, tf.ones_like(b), b)


def _polynomial(x: Tensor, coefficients: Sequence[float]) -> Tensor:
    return tf.math.polyval([tf.constant(c, x.dtype) for c in reversed(coefficients)], x)
