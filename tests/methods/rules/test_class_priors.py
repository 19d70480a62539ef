"""Weights by the prior of each class."""

import numpy as np
import pytest

from tf_mwn.methods.rules.class_priors import class_prior_weights


def test_class_priors_have_mean_one_over_the_training_set():
    counts = np.array([500, 60, 20, 5])
    weights = class_prior_weights(counts)
    assert (counts @ weights) / counts.sum() == pytest.approx(1)
    np.testing.assert_allclose(weights[3] / weights[0], 100)
    assert class_prior_weights([1, 10_000], clip=100).max() == 100
