"""Frozen draws: what other machines and later versions must reproduce, bit by bit.

A change of one of these values changes every split, or every noise, of every experiment.
"""

import hashlib

import numpy as np
import pytest

from tf_mwn.data.bias.feature_noise import feature_dependent_labels
from tf_mwn.data.bias.noise_kinds import flip_targets
from tf_mwn.data.seeds import generator
from tf_mwn.data.sources.source import RawSource, build_source
from tf_mwn.data.splits import biased_data
from tf_mwn.data.streams import pipeline

_CODES = np.arange(3000)
# Pixels by a formula, so that nothing but the draws under test is drawn.
_X = ((_CODES[:, None] * np.arange(1, 49) * 2654435761) >> 7) % 256
SOURCE = build_source(
    RawSource(
        "frozen",
        _X.reshape(-1, 4, 4, 3).astype(np.uint8),
        _CODES * 7 % 10,
        y_coarse=_CODES * 7 % 10 // 2,
    )
)

FROZEN = {
    "test split": ("a258d55c9c4ebc7d", "a258d55c9c4ebc7d"),
    "plain": ("2bd8a9da806b8619", "619e043f9824a0fd"),
    "validation": ("e44d944170f2566f", "bae993eb45ed8a08"),
    "long-tailed": ("9b4811b4ccdf7d25", "b515d1e39b8e2a69"),
    "meta tail": ("4741cb9ac631dab6", "6f526d086fec36ce"),
    "noise uniform": ("1cb087fbc7e33606", "ba68a844282e2703"),
    "noise symmetric": ("8afe933ab7440d62", "763720f345954efe"),
    "noise flip": ("c74586acfdc9c2c2", "c5781dc6b3c6b577"),
    "noise flip2": ("d3ed56036534d921", "bc1128ac2b7864db"),
    "noise pairflip": ("bbba97938c169dd5", "f5975b979c6f1f4d"),
    "noise asymmetric": ("cb5d7231a0c66cc3", "d892e841ef2edbda"),
    "noise asymmetric_one_way": ("7e85bce8bbe94b46", "e03184d1911a37e7"),
    "noise hierarchical": ("b35942ab1c33438c", "9e04fbfca121d741"),
    "noise background": ("7d9b92c1736fb583", "85a7b5a9d5945639"),
    "noise uniform_without_last": ("42be666a009e2501", "b8ef29b09f78e4f8"),
    "noise instance": ("1f1b184511eb3e01", "a3e73755956e57ae"),
    "noise exact": ("5f1b1021cff9684c", "138cf73f17c685ce"),
    "noise meta noise": ("dd3254a5ebf6b808", "5c8d1777d5ce0416"),
    "noise feature3": ("e4852768873767b9", "3fd3d72cfbdcac16"),
    "data noise": ("3ead632433f3efa7", "2be374016fdd24e7"),
    "shuffled": ("9481e737bd51d92a", "3e12c08f16fbc94e"),
    "random": ("2ac9008a1d58c476", "f5f04c204f8a0b12"),
    "corrupted": ("bfe02f9629c6fd69", "51172377d24c38c9"),
    "training order": ("611d198cb7d8b6c6", "deee3a102fb287a7"),
}
FLIP_100 = "e725b978e841b858"
FLIP2_100 = "b3349b7333160985"


def _digest(*arrays):
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array, dtype="<i8").data)
    return digest.hexdigest()[:16]


def _prepare(seed, **settings):
    return biased_data.prepare(SOURCE, biased_data.BiasSettings(meta_size=40, **settings), seed)


SPLITS = {
    "test split": lambda seed: _digest(SOURCE.test_id),
    "plain": lambda seed: _ids(_prepare(seed)),
    "validation": lambda seed: _ids(_prepare(seed, validation_size=100)),
    "long-tailed": lambda seed: _ids(_prepare(seed, imbalance_factor=50.0, train_size=1500)),
    "meta tail": lambda seed: _ids(_prepare(seed, meta_imbalance_factor=4.0)),
}


def _ids(data):
    parts = (data.train, data.meta, data.validation)
    return _digest(*(part.sample_id for part in parts if part is not None))


NOISES = {
    **{
        kind: {"noise": kind, "noise_rate": 0.4}
        for kind in "uniform symmetric flip flip2 pairflip asymmetric asymmetric_one_way "
        "hierarchical background uniform_without_last instance".split()
    },
    "exact": {"noise": "symmetric", "noise_rate": 0.37, "noise_sampling": "exact"},
    "meta noise": {"meta_noise": "flip2", "meta_noise_rate": 0.5},
}


def _labels(seed, settings):
    data = _prepare(seed, **settings)
    return _digest(data.train.label, data.meta.label)


def _feature(seed):
    share = np.exp(_X[:500, :4] / 64.0)
    share /= share.sum(axis=1, keepdims=True)
    label, _ = feature_dependent_labels(
        share, share.argmax(axis=1), "feature3", generator(seed, "noise"), factor=1.35
    )
    return _digest(label)


def _altered(seed, **settings):
    data = _prepare(seed, **settings)
    return _digest(data.train.altered, data.train.x)


def _order(seed):
    data = _prepare(seed)
    stream = pipeline.training_stream(data.train, data.meta, 64, 16, seed, start_epoch=1)
    batches = [features for features, _ in stream.take(40).as_numpy_iterator()]
    return _digest(*(b["sample_id"] for b in batches), *(b["meta_labels"] for b in batches))


DRAWS = {
    **SPLITS,
    **{f"noise {name}": lambda seed, s=s: _labels(seed, s) for name, s in NOISES.items()},
    "noise feature3": _feature,
    "data noise": lambda seed: _altered(seed, data_noise="gaussian", data_noise_rate=0.3),
    "shuffled": lambda seed: _altered(seed, data_noise="shuffled_pixels", data_noise_rate=0.3),
    "random": lambda seed: _altered(seed, data_noise="random_pixels", data_noise_rate=0.3),
    "corrupted": lambda seed: _altered(seed, data_noise="corrupted", data_noise_rate=0.3),
    "training order": _order,
}


@pytest.mark.parametrize("name", DRAWS)
def test_draws_are_the_frozen_ones(name):
    assert (DRAWS[name](0), DRAWS[name](7)) == FROZEN[name]


@pytest.mark.parametrize("name", [name for name in DRAWS if name != "test split"])
def test_seeds_differ(name):
    assert FROZEN[name][0] != FROZEN[name][1]


def test_targets_of_hundred_classes_are_the_frozen_ones():
    assert _digest(flip_targets(1, 100)) == FLIP_100
    assert _digest(flip_targets(2, 100)) == FLIP2_100


if __name__ == "__main__":  # prints the table to freeze
    print("FROZEN = {")
    for name, draw in DRAWS.items():
        print(f'    "{name}": ("{draw(0)}", "{draw(7)}"),')
    print("}")
    print(f'FLIP_100 = "{_digest(flip_targets(1, 100))}"')
    print(f'FLIP2_100 = "{_digest(flip_targets(2, 100))}"')
