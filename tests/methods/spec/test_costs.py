"""Costs of steps in forward passes, worked out by hand."""

import pytest

from tf_mwn.methods.spec.costs import meta_step, of_epochs
from tf_mwn.methods.spec.method import Passes, Phase

EVERY_STEP = {
    "speed": "exact",
    "meta_interval": 1,
    "meta_fraction": 1.0,
    "reuse_gradient": False,
    "recompute": False,
}


@pytest.mark.parametrize(
    ("changed", "training", "meta"),
    [
        ({}, 7, 3),  # 3 of a plain step, 2 + 2 on the batch, 3 on the meta batch
        ({"reuse_gradient": True}, 5, 3),
        ({"recompute": True}, 8, 3),
        ({"meta_interval": 2}, 5, 1.5),
        ({"meta_fraction": 0.5}, 5.5, 3),  # 2 + 2 + 1 on half of the batch
        ({"meta_interval": 0}, 3, 0),
        ({"meta_learning_rate": 0.0}, 3, 0),
    ],
)
def test_a_meta_step_by_hand(changed, training, meta):
    passes = meta_step({**EVERY_STEP, **changed})
    assert (passes.training, passes.meta) == (training, meta)


def test_passes_of_epochs_by_hand():
    phases = (Phase("plain", 2), Phase("meta", 1, Passes(7, 3)))
    # Two steps of 10 and of 5 meta examples: 60 in a plain epoch, 170 in the other.
    assert of_epochs(phases, 2, 10, 5) == [60, 60, 170]
