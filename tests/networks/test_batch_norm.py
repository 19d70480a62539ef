"""Batch normalisation as in the papers, and over all devices."""

import keras
import pytest

from tests.networks.small_networks import SMALL
from tf_mwn import networks


def test_synchronised_networks():
    model = networks.build("synchronised/resnet8", (8, 8, 3), 3)
    plain = networks.build("resnet8", (8, 8, 3), 3)
    norms = [
        [layer for layer in each.layers if isinstance(layer, keras.layers.BatchNormalization)]
        for each in (model, plain)
    ]
    assert norms[0] and all(layer.synchronized for layer in norms[0])
    assert not any(layer.synchronized for layer in norms[1])
    with pytest.raises(ValueError, match="did you mean 'resnet20'"):
        networks.check_network("synchronised/resnet21")


@pytest.mark.parametrize("name, shape", SMALL[1:7])
def test_batch_norm_is_that_of_the_papers(name, shape):
    model = networks.build(name, shape, 3)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            assert (layer.momentum, layer.epsilon) == (0.9, 1e-5)


@pytest.mark.parametrize("name, shape", [row for row in SMALL if row[0] in networks.NETWORKS])
def test_networks_say_whether_they_have_batch_norm(name, shape):
    layers = networks.build(name, shape, 3).layers
    found = any(isinstance(layer, keras.layers.BatchNormalization) for layer in layers)
    assert networks.NETWORKS[name].batch_norm == found
