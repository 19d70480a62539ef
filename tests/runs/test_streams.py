"""What the steps, the last phase and evaluation see."""

import dataclasses

import numpy as np
import pytest

from tests.monitoring.evaluated_data import biased
from tf_mwn.methods.registry import METHODS
from tf_mwn.runs import streams
from tf_mwn.settings.config import Config


def test_tokens_are_not_standardised():
    x = np.array([[3.0, 7.0, 0.0]])
    prepared = streams.preprocessing(Config(network="gru_10"), data=None)(x)
    np.testing.assert_array_equal(prepared, x)


UNSEEN = {
    "clean_only": 0,
    "glc": 0,
    "clean_added": 3,
    "fine_tuning": 3,
    "robust": 3,
}  # of 9; others: all


@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_memorised_meta_set_is_not_asked(name):
    """What health and audit take for unseen is apart from what the classifier trains on."""
    data, config = biased(), Config()
    parts = streams.meta_parts(config, METHODS[name], data, seed=0)
    unseen = () if parts.unseen is None else parts.unseen.sample_id
    trained_on = set() if name not in UNSEEN else set(parts.last_phase.sample_id)
    if METHODS[name].trains_on_meta_set:
        trained_on |= set(parts.step.sample_id)
    assert not trained_on & set(unseen)
    assert len(unseen) == UNSEEN.get(name, 9)


def test_of_classes_with_one_clean_example_none_is_held_back():
    data = biased()
    one = data.meta.rows(np.unique(data.meta.label, return_index=True)[1])
    data = dataclasses.replace(data, meta=one)
    assert streams.meta_parts(Config(), METHODS["fine_tuning"], data, seed=0).unseen is None
