"""The compiled model of a run."""

import pytest

from tf_mwn.methods.registry import METHODS
from tf_mwn.runs import build
from tf_mwn.settings.config import Config


@pytest.mark.parametrize(
    ("method", "decay"),
    [("learned_weight_decay", 0.0), ("hypergradient_descent", 0.0), ("architecture_gate", 1e-3)],
)
def test_a_recipes_decay_of_theta_is_for_methods_that_read_it(method, decay):
    optimizer = build.meta_optimizer(Config(meta_weight_decay=1e-3), METHODS[method])
    assert optimizer.coupled_weight_decay == decay
