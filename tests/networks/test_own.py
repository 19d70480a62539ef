"""Networks of the user: built on the way, and refused."""

import numpy as np
import pytest

from tf_mwn import networks


def _trainable(model):
    return sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)


OWN = "tests.networks.own_models:"


BAD_OWN = [
    ("no_such_package.models:build", ValueError, "imported, received 'no_such_package.models:bu"),
    (OWN + "missing", ValueError, "own_models:missing' .*has no attribute"),
    (OWN + "NUMBER", ValueError, "own_models:NUMBER', which is none"),
    (OWN + "no_model", TypeError, "expected a keras.Model, received str"),
    (OWN + "failing", ValueError, "received RuntimeError: first line second line"),
    (OWN + "probabilities", ValueError, "expected logits, received probabilities"),
    (OWN + "another_size", ValueError, r"logits of shape \(None, 10\), received \(None, 11\)"),
    (OWN + "another_input", ValueError, r"expected a model of inputs \(4, 4, 2\), received"),
]


@pytest.mark.parametrize("name, error, message", BAD_OWN)
def test_own_networks_that_cannot_be_used_are_refused(name, error, message):
    with pytest.raises(error, match=message) as caught:
        networks.build(name, (4, 4, 2), 10)
    assert "\n" not in str(caught.value)


def test_own_network_is_built_on_the_way():
    model = networks.build(OWN + "not_built", (4, 4, 2), 10)
    assert model.built and _trainable(model) == 330
