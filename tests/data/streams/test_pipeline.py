"""Streams: order, resumption, elements, bad input, and what each replica receives."""

import numpy as np
import pytest
import tensorflow as tf

from tf_mwn.data.streams import pipeline
from tf_mwn.data.subset import Subset


def _subset(size, first_id=0):
    """Examples whose first feature is their id, so that inputs, labels and ids can be matched."""
    ids = np.arange(first_id, first_id + size)
    x = np.stack([ids, ids + 0.5], axis=1).astype(np.float32)
    return Subset(x, ids % 3, ids % 3, ids)


def _take(dataset, count):
    return [tf.nest.map_structure(np.copy, e) for e in dataset.take(count).as_numpy_iterator()]


def _assert_equal(got, want):
    tf.nest.map_structure(np.testing.assert_array_equal, got, want)


def _stream(train=24, meta=6, batch=8, meta_batch=4, seed=0, **options):
    meta = _subset(meta, first_id=1000) if meta else None
    return pipeline.training_stream(_subset(train), meta, batch, meta_batch, seed, **options)


def test_element_holds_inputs_labels_and_ids_of_the_same_examples():
    features, label = _take(_stream(), 1)[0]
    assert set(features) == {"inputs", "sample_id", "meta_inputs", "meta_labels"}
    np.testing.assert_array_equal(features["inputs"][:, 0], features["sample_id"])
    np.testing.assert_array_equal(label, features["sample_id"] % 3)
    np.testing.assert_array_equal(features["meta_labels"], features["meta_inputs"][:, 0] % 3)
    assert label.dtype == np.int64 and features["meta_inputs"].min() >= 1000


def test_shapes_are_static_and_meta_keys_absent_without_a_meta_set():
    features, label = _stream(meta=None, meta_batch=None).element_spec
    assert set(features) == {"inputs", "sample_id"}
    assert features["inputs"].shape == (8, 2) and label.shape == (8,)


@pytest.mark.parametrize("train, whole", [(24, 24), (29, 24)])
def test_each_epoch_holds_every_example_once_and_drops_the_remainder(train, whole):
    for epoch in range(3):
        stream = _stream(train=train, start_epoch=epoch)
        ids = np.concatenate([features["sample_id"] for features, _ in _take(stream, whole // 8)])
        assert len(np.unique(ids)) == len(ids) == whole


def test_epochs_and_seeds_have_different_orders():
    orders = {
        tuple(_take(_stream(seed=seed, start_epoch=epoch), 1)[0][0]["sample_id"])
        for seed in range(2)
        for epoch in range(3)
    }
    assert len(orders) == 6


def test_meta_batches_run_through_one_order_after_another():
    stream = _take(_stream(meta=6, meta_batch=4), 6)
    seen = np.concatenate([features["meta_inputs"][:, 0] for features, _ in stream])
    epochs = seen.reshape(4, 6)
    for epoch in epochs:
        np.testing.assert_array_equal(np.sort(epoch), np.arange(1000, 1006))
    assert len({tuple(epoch) for epoch in epochs}) > 1


@pytest.mark.parametrize("start", [1, 3])
def test_stream_from_a_later_epoch_equals_the_tail_of_the_whole(start):
    def noise(x, seed):
        return x + tf.random.stateless_uniform(tf.shape(x), seed)

    options = {"augment": noise, "preprocess": lambda x: 2.0 * x}
    whole = _take(_stream(**options), 15)
    _assert_equal(_take(_stream(start_epoch=start, **options), 15 - 3 * start), whole[3 * start :])
    within = _stream(start_epoch=start, start_step=2, **options)
    _assert_equal(_take(within, 13 - 3 * start), whole[3 * start + 2 :])


def test_augmentation_differs_between_steps_and_between_train_and_meta():
    keys = []
    stream = _stream(augment=lambda x, seed: tf.broadcast_to(seed, [tf.shape(x)[0], 2]))
    for features, _ in _take(stream, 4):
        keys += [tuple(features["inputs"][0]), tuple(features["meta_inputs"][0])]
    assert len(set(keys)) == 8


def test_augment_comes_before_preprocess():
    stream = _stream(augment=lambda x, seed: 0 * x + 3, preprocess=lambda x: x * 10)
    assert _take(stream, 1)[0][0]["inputs"][0, 0] == 30


def test_nested_inputs_and_uint8_stay_as_they_are():
    x = {"image": np.zeros((6, 2, 2, 1), np.uint8), "pair": (np.zeros((6, 3)), np.zeros((6, 1)))}
    train = Subset(x, np.arange(6) % 2, None, np.arange(6))
    features, _ = pipeline.training_stream(train, None, 3, None, 0).element_spec
    assert features["inputs"]["image"].dtype == tf.uint8
    assert features["inputs"]["pair"][0].shape == (3, 3)


def test_evaluation_keeps_order_and_the_partial_batch():
    x = np.arange(10, dtype=np.uint8)[:, None]
    dataset = pipeline.evaluation_dataset(x, np.arange(10) % 2, 4, preprocess=lambda x: x + 1)
    parts = _take(dataset, 9)
    assert [len(label) for _, label in parts] == [4, 4, 2]
    np.testing.assert_array_equal(np.concatenate([x for x, _ in parts])[:, 0], np.arange(1, 11))
    assert dataset.cardinality() == 3
