"""The CT loss against brute-force minimisation, its limit and its derivatives."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import optimize, special

from tests.losses.loss_table import gradient
from tf_mwn.losses.low_dose_ct import LowDoseCT, low_dose_ct, most_likely_count

# P, y, I0, σ²: bright, dark, negative counts, more noise than signal, hardly any noise.
CASES = np.array(
    [
        [90.0, 0.1, 100.0, 10.0],
        [3.0, 4.0, 100.0, 10.0],
        [-5.0, 5.0, 100.0, 10.0],
        [-5.0, 0.0, 100.0, 10.0],
        [0.0, 3.0, 1e5, 100.0],
        [1e5, 0.0, 1e5, 1e4],
        [4e4, 10.0, 1e5, 1e6],
        [0.0, 0.0, 1e6, 100.0],
        [50.0, 12.0, 1e5, 1e-6],
        [7.0, -1.0, 5.0, 1e-3],
        [100.0, 30.0, 1e5, 10.0],
    ]
)
P, Y, I0, VARIANCE = CASES.T


def objective(q, p, y, i0, variance):
    poisson = i0 * np.exp(-y) - q * (np.log(i0) - y) + special.gammaln(q + 1)
    return poisson + (p - q) ** 2 / (2 * variance)


def brute_force(p, y, i0, variance):
    """The root of the derivative in q by bisection; q = 0 if it has none."""

    def slope(q):
        return special.digamma(q + 1) - np.log(i0) + y + (q - p) / variance

    if slope(0.0) >= 0:
        return 0.0
    return optimize.brentq(slope, 0.0, max(p, i0 * np.exp(-y)) + 1, xtol=1e-13, rtol=1e-14)


def ct(y=Y, p=P, i0=I0, variance=VARIANCE):
    return low_dose_ct(p, y, incident_count=i0, variance=variance)


def test_the_minimiser_and_the_minimum():
    q = np.array([brute_force(*case) for case in CASES])
    found = most_likely_count(*(tf.constant(v) for v in (np.log(I0) - Y, P, VARIANCE)))
    np.testing.assert_allclose(found, q, rtol=1e-9, atol=1e-12)
    expected = [objective(x, *case) for x, case in zip(q, CASES, strict=True)]
    np.testing.assert_allclose(ct(), expected, rtol=1e-8)
    rng = np.random.default_rng(0)
    for other in np.abs(q * (1 + 0.01 * rng.normal(size=(20, len(q))))) + rng.random((20, 1)):
        values = [objective(x, *case) for x, case in zip(other, CASES, strict=True)]
        assert (ct().numpy() <= np.array(values) + 1e-9).all()


def test_the_gradient_is_the_minimiser_less_the_expected_count():
    q = np.array([brute_force(*case) for case in CASES])
    slope = gradient(ct, tf.constant(Y))
    np.testing.assert_allclose(slope, q - I0 * np.exp(-Y), rtol=1e-8, atol=1e-9)


def central(function, x, h):
    return (function(x + h) - function(x - h)) / (2 * h)


@pytest.mark.parametrize("key, h", [("y", 1e-5), ("p", 1e-4), ("i0", 1e-3), ("variance", 1e-7)])
def test_first_and_mixed_second_derivatives(key, h):
    values = {"y": Y, "p": P, "i0": I0, "variance": VARIANCE}
    with tf.GradientTape(persistent=True) as tape:
        tensors = {name: tf.constant(value) for name, value in values.items()}
        tape.watch(tensors)
        with tf.GradientTape() as inner:
            inner.watch(tensors["y"])
            losses = ct(**tensors)
        slope = inner.gradient(losses, tensors["y"])

    def moved_slope(x):
        others = {**values, key: x}
        y = tf.constant(others.pop("y"))
        return gradient(lambda y: ct(y, **others), y).numpy()

    # Differences of values as large as 1e6 carry few digits.
    expected = central(lambda x: ct(**{**values, key: x}).numpy(), values[key], h)
    np.testing.assert_allclose(tape.gradient(losses, tensors[key]), expected, rtol=1e-4, atol=2e-4)
    expected = central(moved_slope, values[key], h)
    np.testing.assert_allclose(tape.gradient(slope, tensors[key]), expected, rtol=1e-4, atol=2e-4)


@pytest.mark.parametrize("variance", [0.0, 1e-30, 1e-12, 1e-8])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_without_electronic_noise_it_is_the_poisson_likelihood(variance, dtype):
    counts = np.array([0.0, 1.0, 7.0, 1e5])
    y = tf.constant([2.0, 1.0, 0.5, 0.1], dtype)
    expected_count = 1e5 * np.exp(-y.numpy().astype("float64"))
    poisson = expected_count - counts * np.log(expected_count) + special.gammaln(counts + 1)
    losses = low_dose_ct(counts, y, incident_count=1e5, variance=variance)
    np.testing.assert_allclose(losses, poisson, rtol=1e-6)
    slope = gradient(lambda y: low_dose_ct(counts, y, incident_count=1e5, variance=variance), y)
    np.testing.assert_allclose(slope, counts - expected_count, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_extreme_line_integrals_are_finite(dtype):
    y = tf.constant([1e4, 100.0, 0.0, -20.0, -60.0], dtype)
    counts = np.array([[-50.0], [0.0], [1e5]])
    options = {"incident_count": 1e5, "variance": 10.0}
    losses = low_dose_ct(counts, y, **options)
    assert losses.shape == (3, 5)
    assert losses.dtype == ("float64" if dtype == "float64" else "float32")
    assert np.isfinite(losses).all()
    slope = gradient(
        lambda y: low_dose_ct(counts, y, **options), y[:4] if dtype == "float16" else y
    )
    if dtype != "float16":  # which cannot hold a gradient of 1e13
        assert np.isfinite(tf.cast(slope, "float64")).all()


@pytest.mark.parametrize("jit_compile", [False, True])
def test_graph_and_xla(jit_compile):
    @tf.function(jit_compile=jit_compile)
    def value_and_slope(y):
        return ct(y), gradient(ct, y)

    losses, slope = value_and_slope(tf.constant(Y))
    np.testing.assert_allclose(losses, ct(), rtol=1e-9)
    np.testing.assert_allclose(slope, gradient(ct, tf.constant(Y)), rtol=1e-9, atol=1e-9)


def test_shapes():
    loss = LowDoseCT(100.0, 10.0, reduction=None)
    assert loss(np.ones((2, 3)), np.ones((2, 3, 1), "float32")).shape == (2, 3, 1)
    with pytest.raises(ValueError, match="y_true: expected the shape of y_pred"):
        loss.call(np.ones((2, 1)), np.ones((2, 3), "float32"))


def test_a_line_integral_is_recovered_from_noisy_counts():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, size=(400, 1)).astype("float32")
    y = 2.0 + 1.5 * x
    counts = rng.poisson(2000 * np.exp(-y)) + rng.normal(0, 2.0, y.shape)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    loss = LowDoseCT(2000.0, 4.0)
    model.compile(keras.optimizers.Adam(0.1), loss=loss, jit_compile=False)
    model.fit(x, counts.astype("float32"), epochs=20, batch_size=50, verbose=0)
    kernel, bias = model.get_weights()
    np.testing.assert_allclose([kernel[0, 0], bias[0]], [1.5, 2.0], atol=0.05)


def test_newton_by_its_second_derivatives_finds_the_line_integrals():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, size=(400, 1))
    y = 2.0 + 1.5 * x
    counts = rng.poisson(2e4 * np.exp(-y)) + rng.normal(0, 10.0, y.shape)
    line = tf.constant([1.5, 1.2], tf.float64)

    def slope(line):
        return gradient(lambda w: ct(w[0] + w[1] * x, counts, 2e4, 100.0), line)

    for _ in range(8):
        with tf.GradientTape() as tape:
            tape.watch(line)
            value = slope(line)
        line -= tf.linalg.solve(tape.jacobian(value, line), value[:, None])[:, 0]
    np.testing.assert_allclose(line, [2.0, 1.5], atol=0.005)
    np.testing.assert_allclose(slope(line), [0, 0], atol=1e-6)
