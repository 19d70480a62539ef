"""The cost of a training in forward passes, worked out by hand."""

import pytest

from tf_mwn.data.sources.location import DEFAULT_LOCATION
from tf_mwn.data.splits.biased_data import prepare
from tf_mwn.methods import registry
from tf_mwn.runs import datasets
from tf_mwn.runs.cost import forward_passes
from tf_mwn.settings.config import Config


def test_forward_passes_by_hand():
    source = datasets.load_sources(Config(dataset="digits"), DEFAULT_LOCATION)[0]
    config = Config(dataset="digits", train_size=330, batch_size=100, meta_batch_size=50)
    data = prepare(source, config, 0)

    def cost(method, **changed):
        """Of an epoch in the middle of training, of 3 steps of 100."""
        settings = Config(**{**vars(config), **changed})
        return forward_passes(settings, registry.find(method), data, 30, 31)

    # Forward 1, backward 2.
    assert cost("gce") == 3 * 100 * 3
    # A meta update adds 2 + 2 on the batch and 3 on the meta batch: 550 here.
    assert cost("meta_weight_net") == 900 + 3 * 550
    assert cost("meta_weight_net", meta_interval=2) == 900 + 1.5 * 550
    assert cost("meta_weight_net", reuse_gradient=True) == 900 + 3 * 350
    assert cost("meta_weight_net", recompute=True) == 900 + 3 * 650
    assert cost("meta_weight_net", speed="fast") == pytest.approx(900 + 0.6 * (5 * 25 + 3 * 50))
    # L2RW in every step 2 on the batch and 3 on the meta batch.
    assert cost("l2rw") == 900 + 3 * 350
    # Those that were counted as plain training before: no virtual step, but a meta gradient.
    assert cost("learned_weight_decay") == cost("hypergradient_descent") == 900 + 3 * 150
    assert cost("architecture_gate") == cost("meta_weight_net")
    assert cost("co_teaching") == 2 * cost("gce")
    # All epochs: plain training, then five epochs on meta batches alone.
    whole = forward_passes(config, registry.find("fine_tuning"), data)
    assert whole == 60 * 900 + 5 * 3 * 3 * 50
    # Of one example in each class none is held back: 20 passes over ten are 25 steps of 8.
    few = Config(**{**vars(config), "meta_size": 10, "batch_size": 10, "meta_batch_size": 8})
    small = prepare(source, few, 0)
    assert len(small.train) // 10 > 25
    assert forward_passes(few, registry.find("fine_tuning"), small, 60) == 5 * 25 * 3 * 8
