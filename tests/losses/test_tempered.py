"""The two ratios with a removable singularity: values, derivatives, limits."""

import numpy as np
import pytest
import tensorflow as tf

from tf_mwn.losses.tempered import expm1_ratio, log1p_ratio, log_exp_t, log_t

# Around the limit, across both thresholds of the series, and far away.
S = [0.0, 1e-40, 1e-12, -1e-9, 1e-4, 0.03, -0.05, 0.12, 0.3, 0.5, 1.0]
A = np.array([-2.0, -0.9, 1e-3, 0.4, 1.7])


def mixed_derivatives(function, s, dtype):
    """f, f_a, f_s, f_as and f_sa by nested tapes."""
    a = tf.constant(A, dtype)
    s = tf.fill(a.shape, tf.constant(s, dtype))
    with tf.GradientTape(persistent=True) as outer:
        outer.watch([a, s])
        with tf.GradientTape() as tape:
            tape.watch([a, s])
            value = function(a, s)
        by_a, by_s = tape.gradient(value, [a, s])
    return value, by_a, by_s, outer.gradient(by_a, s), outer.gradient(by_s, a)


@pytest.mark.parametrize("dtype, rtol", [("float64", 1e-11), ("float32", 2e-5)])
@pytest.mark.parametrize("s", S)
def test_expm1_ratio_and_its_derivatives(s, dtype, rtol):
    # (e^{sa}-1)/s = ∫ over [0, a] of e^{sx}; by quadrature, with no division by s.
    x, w = np.polynomial.legendre.leggauss(30)
    x = (x + 1) / 2 * A[:, None]
    w = w / 2 * A[:, None]
    e = np.exp(s * x)
    expected = [(w * e).sum(1), np.exp(s * A), (w * x * e).sum(1)] + 2 * [A * np.exp(s * A)]
    for value, wanted in zip(mixed_derivatives(expm1_ratio, s, dtype), expected, strict=True):
        np.testing.assert_allclose(value, wanted, rtol=rtol)


@pytest.mark.parametrize("dtype, rtol", [("float64", 1e-11), ("float32", 2e-5)])
@pytest.mark.parametrize("s", [s for s in S if s < 0.5])
def test_log1p_ratio_and_its_derivatives(s, dtype, rtol):
    # ln(1+sa)/s = ∫ over [0, a] of 1/(1+sx).
    x, w = np.polynomial.legendre.leggauss(60)
    x = (x + 1) / 2 * A[:, None]
    w = w / 2 * A[:, None]
    expected = [
        (w / (1 + s * x)).sum(1),
        1 / (1 + s * A),
        (-w * x / (1 + s * x) ** 2).sum(1),
    ] + 2 * [-A / (1 + s * A) ** 2]
    for value, wanted in zip(mixed_derivatives(log1p_ratio, s, dtype), expected, strict=True):
        np.testing.assert_allclose(value, wanted, rtol=rtol)


@pytest.mark.parametrize("t", [0.0, 0.7, 1.0, 1.5, 4.0])
def test_log_t_undoes_exp_t(t):
    x = tf.constant([-0.3, 0.0, 0.2], tf.float64)
    log, inside = log_exp_t(x, tf.constant(t, tf.float64))
    assert np.all(inside)
    np.testing.assert_allclose(log_t(tf.exp(log), tf.constant(t, tf.float64)), x, atol=1e-14)


def test_scalar_parameters_collect_the_derivatives_of_all_entries():
    s = tf.constant(0.3, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(s)
        total = tf.reduce_sum(expm1_ratio(tf.constant(A), s))
    # d/ds (exp(sA) - 1) / s
    expected = (A * np.exp(0.3 * A) / 0.3 - np.expm1(0.3 * A) / 0.3**2).sum()
    np.testing.assert_allclose(tape.gradient(total, s), expected, rtol=1e-12)
