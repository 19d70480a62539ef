"""The checks of a data set against the settings."""

import dataclasses

import pytest

from tests.monitoring.evaluated_data import biased
from tf_mwn.methods.registry import METHODS
from tf_mwn.runs import datasets
from tf_mwn.settings.config import Config


@pytest.mark.parametrize(("method", "largest"), [("clean_added", 6), ("meta_weight_net", 9)])
def test_a_meta_batch_is_at_most_what_the_steps_see(method, largest):
    data = biased()
    config = Config(batch_size=2, meta_batch_size=largest, augment="none")
    datasets.check_sizes(config, data, [METHODS[method]])
    config = dataclasses.replace(config, meta_batch_size=largest + 1)
    with pytest.raises(
        ValueError, match=f"at most the {largest} meta images that a step of {method}"
    ):
        datasets.check_sizes(config, data, [METHODS[method]])
