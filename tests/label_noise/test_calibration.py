"""The temperature of probabilities is recovered."""

import numpy as np
from scipy.special import log_softmax, softmax

from tf_mwn.label_noise.calibration import fit_temperature


def test_temperature_is_recovered():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 4)) * 2
    p = softmax(logits, axis=1)
    labels = (p.cumsum(axis=1) < rng.random((20_000, 1))).sum(axis=1)
    t = fit_temperature(3 * logits, labels)
    assert abs(t - 3) < 0.1
    # The derivative of the loss in 1/t is 0 there.
    z = 3 * logits
    slope = (z * (softmax(z / t, axis=1) - np.eye(4)[labels])).sum(axis=1).mean()
    assert abs(slope) < 1e-3
    assert np.isfinite(log_softmax(z / t, axis=1)).all()
