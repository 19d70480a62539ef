"""What a method states, under settings that it reads and settings that it does not."""

import pytest

from tf_mwn.methods import registry
from tf_mwn.methods.spec.method import UNSET
from tf_mwn.settings.config import Config


@pytest.mark.parametrize(
    ("method", "size"), [("meta_weight_net", 25), ("l2rw", 100), ("clean_only", 100), ("glc", 100)]
)
def test_a_fraction_makes_the_meta_batches_of_those_smaller_that_read_it(method, size):
    settings = vars(Config(batch_size=100, meta_fraction=0.25))
    assert registry.find(method).meta_batch_size(settings, 1000) == size
    assert registry.find(method).meta_batch_size({**settings, "meta_batch_size": 7}, 1000) == 7
    assert registry.find(method).meta_batch_size(settings, 20) == 20


@pytest.mark.parametrize(("share", "size"), [(0.25, 12), (1.0, 50), (0.001, 1)])
def test_clean_added_has_a_share_of_the_batch_in_clean_examples(share, size):
    method, settings = registry.find("clean_added"), vars(Config(batch_size=50, clean_share=share))
    assert method.meta_batch_size(settings, 1000) == size
    assert method.meta_batch_size(settings, 5) == min(size, 5)
    assert method.meta_batch_size({**settings, "meta_batch_size": 7}, 1000) == 7


def test_what_decides_whether_an_option_has_an_effect_is_an_option_of_the_method():
    for method in registry.METHODS.values():
        for name, (decides, values) in method.effective.items():
            assert name in method.reads and decides.name in method.reads
            possible = (None, 0.3) if values == UNSET else decides.range
            settings = [{**vars(Config()), decides.name: value} for value in possible]
            effective = [s[decides.name] for s in settings if method.ignores(s, name) is None]
            assert effective == list(values)
