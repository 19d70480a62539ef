"""Each weight that falls with the loss is the minimiser of v l + G(v) over [0, 1]."""

import numpy as np
import pytest
import tensorflow as tf

from tf_mwn.methods.rules import robust_statistics, self_paced

LOSSES = np.array([0.0, 0.01, 0.3, 0.9, 1.7, 2.4999, 2.6, 8.0])
# Name: (weight of losses, G of v).
CASES = {
    "self_paced": (
        lambda x: self_paced.self_paced(x, lambda_=2.5),
        lambda v: -2.5 * v,
    ),
    "linear": (
        lambda x: self_paced.linear(x, lambda_=2.5),
        lambda v: 2.5 * (v**2 / 2 - v),
    ),
    **{
        f"polynomial, d = {d}": (
            lambda x, d=d: self_paced.polynomial(x, lambda_=2.5, d=d),
            lambda v, d=d: 2.5 * (v**d / d - v),
        )
        for d in (1.3, 3.0, 8.0)
    },
    **{
        f"geman_mcclure, sigma = {sigma}": (
            lambda x, sigma=sigma: robust_statistics.geman_mcclure(x, sigma=sigma),
            lambda v, sigma=sigma: sigma**2 * (v**0.5 - 1) ** 2,
        )
        for sigma in (0.5, 2.0)
    },
    "gce": (
        lambda x: robust_statistics.generalized_cross_entropy_weight(x, q=0.7),
        lambda v: v * (np.log(np.maximum(v, 1e-300)) - 1) / 0.7,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_weight_minimises_its_objective(name):
    weight, regularizer = CASES[name]
    grid = np.linspace(0, 1, 200_001)
    values = np.asarray(regularizer(grid))
    weights = weight(tf.constant(LOSSES)).numpy()
    for loss, v in zip(LOSSES, weights, strict=True):
        best = grid[np.argmin(grid * loss + values)]
        np.testing.assert_allclose(v, best, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_weights_fall_from_one_and_stay_in_the_unit_interval(name):
    weights = CASES[name][0](tf.linspace(tf.constant(0.0, tf.float64), 1e4, 3001)).numpy()
    assert weights[0] == 1
    assert np.all(np.diff(weights) <= 0) and np.all((weights >= 0) & (weights <= 1))
