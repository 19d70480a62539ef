"""An embedding, whose gradient is sparse, trains as the dense layer on one-hot inputs."""

import keras
import numpy as np
import pytest

from tf_mwn.data.streams.pipeline import paired_dataset
from tf_mwn.methods.meta_weight_net.meta_weight_net import MetaWeightNet

pytestmark = pytest.mark.usefixtures("float64")
L = keras.layers
RNG = np.random.default_rng(0)
TOKENS, META_TOKENS = RNG.integers(0, 6, (16, 4)), RNG.integers(0, 6, (8, 4))
LABELS, META_LABELS = RNG.integers(0, 3, 16), RNG.integers(0, 3, 8)


def on_tokens():
    return keras.Sequential(
        [keras.Input((4,), dtype="int64"), L.Embedding(6, 3), L.Flatten(), L.Dense(3)]
    )


def on_one_hot():
    return keras.Sequential(
        [keras.Input((4, 6)), L.Dense(3, use_bias=False), L.Flatten(), L.Dense(3)]
    )


def trained(build, read):
    """The variables after two steps from the same start; steps of 1 for Θ, by plain SGD."""
    keras.utils.set_random_seed(0)
    values = on_tokens().get_weights()
    model = MetaWeightNet(build(), (5,), weight_normalization="sum")
    model.classifier.set_weights(values)
    start = [v.numpy() for v in model.trainable_variables]
    model.compile(keras.optimizers.SGD(0.3), keras.optimizers.SGD(1.0))
    # Whole sets as batches: their order does not matter.
    pairs = paired_dataset(read(TOKENS), LABELS, read(META_TOKENS), META_LABELS, 16)
    model.fit(pairs, epochs=2, verbose=0)
    end = [v.numpy() for v in model.trainable_variables]
    moved = [np.abs(a - b).max() for a, b in zip(start, end, strict=True)]
    assert min(moved) > 1e-7
    return end


def test_embedding_equals_dense_layer():
    sparse = trained(on_tokens, lambda tokens: tokens)
    # float32 holds zeros and ones exactly.
    dense = trained(on_one_hot, lambda tokens: np.eye(6, dtype="float32")[tokens])
    for one, two in zip(sparse, dense, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-12)


def test_one_device_equals_two(mirrored):
    one = trained(on_tokens, lambda tokens: tokens)
    with mirrored.scope():
        two = trained(on_tokens, lambda tokens: tokens)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
