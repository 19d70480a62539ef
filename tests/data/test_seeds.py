"""Generators of random numbers, the same on every machine."""

import numpy as np
import pytest

from tf_mwn.data.seeds import generator, random_order

FROZEN_DRAWS = [0.6589073634071492, 0.0792379852227385, 0.23610463594699294]


def test_generators_of_two_purposes_and_two_seeds_differ():
    draws = {generator(seed, purpose).random() for seed in (0, 1) for purpose in ("meta", "noise")}
    assert len(draws) == 4


def test_generator_is_the_same_on_every_machine():
    assert generator(0, "noise").random(3).tolist() == FROZEN_DRAWS
    assert (
        random_order(6, generator(0, "noise")).tolist()
        == np.argsort(generator(0, "noise").random(6)).tolist()
    )


@pytest.mark.parametrize(
    "seed, error, message",
    [
        (-1, ValueError, "at least 0, received -1"),
        (0.5, TypeError, "seed: expected an integer .*, received 0.5"),
    ],
)
def test_bad_seed_is_refused(seed, error, message):
    with pytest.raises(error, match=message):
        generator(seed, "noise")
