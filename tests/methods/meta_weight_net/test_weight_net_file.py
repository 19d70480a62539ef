"""A weight net in a file: the same bits, plain numbers, and frozen use."""

import json
import re

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tf_mwn
from tests.damage import FEW, damaged, one_line, write
from tests.models import batch, mlp


def saved(tmp_path, **options):
    net = tf_mwn.WeightNet((4, 3), **options)
    tf_mwn.save_weight_net(net, tmp_path / "net.json")
    return net, tmp_path / "net.json"


def test_the_same_bits_and_settings(tmp_path):
    net, path = saved(tmp_path, normalization="sum", detach_loss=False)
    loaded = tf_mwn.load_weight_net(path)
    assert (loaded.units, loaded.normalization, loaded.detach_loss) == ((4, 3), "sum", False)
    for one, two in zip(net.trainable_variables, loaded.trainable_variables, strict=True):
        np.testing.assert_array_equal(one, two)


def test_the_numbers_alone_are_the_function(tmp_path):
    net, path = saved(tmp_path)
    k1, b1, k2, b2, k3, b3 = map(np.array, json.loads(path.read_text())["variables"])
    losses = np.linspace(0, 5, 9)
    hidden = np.maximum(np.maximum(losses[:, None] @ k1 + b1, 0) @ k2 + b2, 0)
    by_hand = 1 / (1 + np.exp(-(hidden @ k3 + b3)[:, 0]))
    np.testing.assert_allclose(net(losses.astype("float32")), by_hand, rtol=1e-5)


def test_frozen_use_is_weighted_training(tmp_path):
    """One step with V fixed is the step of Keras with these sample weights; V stays."""
    net, path = saved(tmp_path)
    x, y = batch([(5,)], 12, 0)
    ours, theirs = mlp(), mlp()
    theirs.set_weights(ours.get_weights())
    losses = keras.losses.sparse_categorical_crossentropy(y, ours(x), from_logits=True)
    weights = np.asarray(net(losses))

    model = tf_mwn.RobustModel(ours, tf_mwn.load_weight_net(path))
    model.compile(keras.optimizers.SGD(0.5))
    model.fit(tf_mwn.paired_dataset(x, y, None, None, batch_size=12), verbose=0)
    mean = keras.losses.SparseCategoricalCrossentropy(from_logits=True)  # Σ w l / B
    theirs.compile(keras.optimizers.SGD(0.5), mean)
    theirs.train_on_batch(x, y, sample_weight=weights)

    for one, two in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-7)
    kept = model.training_objective.trainable_variables
    for one, two in zip(kept, net.trainable_variables, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:-20], "expected JSON of save_weight_net"),
        (lambda text: "[1, 2]", "JSON of save_weight_net, received other content"),
        (lambda text: text.replace('"units": [4, 3]', '"units": [4, 2]'), "variables of shapes"),
        (lambda text: text.replace('"units": [4, 3]', '"unit": 3'), "whole weight net"),
        (
            lambda text: re.sub(r'"variables": \[\[\[[^,\]]+', '"variables": [[[NaN', text),
            "finite numbers",
        ),
    ],
)
def test_damaged_files(tmp_path, change, message):
    _, path = saved(tmp_path)
    path.write_text(change(path.read_text()))
    with pytest.raises(ValueError, match=message):
        tf_mwn.load_weight_net(path)


def test_only_weight_nets_are_saved(tmp_path):
    with pytest.raises(TypeError, match="expected a WeightNet"):
        tf_mwn.save_weight_net(mlp(), tmp_path / "net.json")


@FEW
@given(data=st.data())
def test_any_file(tmp_path, data):
    _, path = saved(tmp_path)
    found = one_line(tf_mwn.load_weight_net, write(path, data.draw(damaged(path.read_bytes()))))
    assert found is None or found.units == (4, 3)


def test_sizes_are_not_believed(tmp_path):
    _, path = saved(tmp_path)
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "units": [10**13, 3]}))
    with pytest.raises(ValueError, match="expected variables of shapes .*10000000000000"):
        tf_mwn.load_weight_net(path)
