"""Paired datasets for `fit`: both kinds of input, bad input, and what each replica receives."""

import numpy as np
import pytest
import tensorflow as tf

from tf_mwn.data.streams import pair_streams, pipeline
from tf_mwn.data.subset import Subset


def _take(dataset, count):
    return [tf.nest.map_structure(np.copy, e) for e in dataset.take(count).as_numpy_iterator()]


def _assert_equal(got, want):
    tf.nest.map_structure(np.testing.assert_array_equal, got, want)


def _pair(**changes):
    arguments = dict(
        x=np.arange(20.0)[:, None],
        y=np.arange(20) % 2,
        x_meta=np.arange(100.0, 106.0)[:, None],
        y_meta=np.arange(6) % 2,
        batch_size=8,
    )
    return pipeline.paired_dataset(**{**arguments, **changes})


def test_paired_dataset_is_one_epoch_with_a_new_order_each_time():
    dataset = _pair()
    first, second = _take(dataset, 99), _take(dataset, 99)
    assert len(first) == len(second) == dataset.cardinality() == 2
    assert first[0][0]["meta_inputs"].shape == (6, 1)  # min(batch size, meta size)
    assert not np.array_equal(first[0][0]["sample_id"], second[0][0]["sample_id"])
    again = _pair()
    _assert_equal(_take(again, 99), first)
    _assert_equal(_take(again, 99), second)


def test_paired_dataset_seeds_differ():
    ids = {tuple(_take(_pair(seed=seed), 1)[0][0]["sample_id"]) for seed in range(3)}
    assert len(ids) == 3


def _as_dataset(x, y):
    return tf.data.Dataset.from_tensor_slices((x, y))


def test_paired_dataset_from_tf_data_in_both_forms():
    x, y = np.arange(20, dtype=np.float32)[:, None], np.arange(20, dtype=np.int32) % 2
    meta = np.arange(100, 106, dtype=np.float32)[:, None], np.arange(6) % 2
    slices = tf.data.Dataset.from_tensor_slices
    one = _pair(x=_as_dataset(x, y), y=None, x_meta=_as_dataset(*meta), y_meta=None)
    two = _pair(x=slices(x), y=slices(y), x_meta=meta[0], y_meta=meta[1])
    for dataset in (one, two):
        parts = _take(dataset, 99)
        assert dataset.element_spec == _pair().element_spec
        assert len(parts) == dataset.cardinality() == 2
        ids = np.concatenate([features["sample_id"] for features, _ in parts])
        assert len(np.unique(ids)) == 16
        for features, label in parts:
            np.testing.assert_array_equal(features["inputs"][:, 0], features["sample_id"])
            np.testing.assert_array_equal(label, features["sample_id"] % 2)


@pytest.mark.parametrize("kind", ["arrays", "dataset"])
def test_paired_dataset_takes_ids_and_no_meta_set(kind):
    x, y, ids = np.arange(20, dtype=np.float32)[:, None], np.arange(20) % 2, np.arange(20) + 50
    inputs = dict(x=x, y=y) if kind == "arrays" else dict(x=_as_dataset(x, y), y=None)
    features, _ = _take(_pair(**inputs, x_meta=None, y_meta=None, sample_id=ids), 1)[0]
    assert set(features) == {"inputs", "sample_id"}
    np.testing.assert_array_equal(features["inputs"][:, 0] + 50, features["sample_id"])


def test_one_hot_labels_stay_one_hot():
    features, label = _pair(
        y=np.eye(2)[np.arange(20) % 2], y_meta=np.eye(2)[[0, 1] * 3]
    ).element_spec
    assert label.shape == (8, 2) and features["meta_labels"].dtype == tf.float32


_X, _LABELS = np.zeros((20, 1), np.float32), np.arange(20) % 2
_SLICES = tf.data.Dataset.from_tensor_slices


def _unknown(dataset):
    """The dataset, of which it is not known how long it is."""
    return dataset.filter(lambda *example: True)


BAD_PAIRS = {
    "names": (dict(y=np.array(["a"] * 20)), TypeError, "y: expected integers, received .'a'.;"),
    "infinite labels": (dict(y=np.full(20, np.inf)), ValueError, "y: expected finite labels"),
    "negative labels": (dict(y=_LABELS - 1), ValueError, "at least 0, received -1"),
    "shorter y": (dict(y=_LABELS[:19]), ValueError, "x, y: .* received 20, 19"),
    "shorter y_meta": (dict(y_meta=_LABELS[:5]), ValueError, "x_meta, y_meta: .* received 6, 5"),
    "no y": (dict(y=None), ValueError, "y: expected shape"),
    "y_meta alone": (dict(x_meta=None), ValueError, "x_meta: expected together with y_meta"),
    "NaN": (
        dict(x=np.full((20, 1), np.nan)),
        ValueError,
        "finite values, received NaN or infinity in",
    ),
    "infinity": (dict(x_meta=np.full((6, 1), np.inf)), ValueError, "x_meta: expected finite"),
    "objects": (dict(x=np.array([object()] * 20)), TypeError, "received an array of object"),
    "list of arrays": (dict(x=[np.zeros((20, 1))]), TypeError, "received a list"),
    "empty": (dict(x=np.zeros((0, 1)), y=_LABELS[:0]), ValueError, "at least one example"),
    "empty meta": (
        dict(x_meta=np.zeros((0, 1)), y_meta=_LABELS[:0]),
        ValueError,
        "x_meta: expected at least one",
    ),
    "large batch": (dict(batch_size=21), ValueError, "most 20 examples, received 21"),
    "zero batch": (dict(batch_size=0), ValueError, "batch_size: .* at least 1, received 0"),
    "float batch": (
        dict(batch_size=8.0),
        TypeError,
        "batch_size: expected an integer .*, received 8.0",
    ),
    "large meta batch": (dict(meta_batch_size=7), ValueError, "most 6 meta examples"),
    "zero meta batch": (dict(meta_batch_size=0), ValueError, "meta_batch_size: .* at least 1"),
    "other meta shape": (
        dict(x_meta=np.zeros((6, 2))),
        ValueError,
        "x_meta, y_meta: expected the shapes of x and y",
    ),
    "doubled id": (dict(sample_id=np.zeros(20, int)), ValueError, "received 0 more than once"),
    "few ids": (dict(sample_id=np.arange(19)), ValueError, "y, sample_id: .* received 20, 19"),
    "negative seed": (dict(seed=-1), ValueError, "seed: .* at least 0"),
    "no pairs": (
        dict(x=tf.data.Dataset.range(20), y=None),
        ValueError,
        "x: expected elements .inputs, label",
    ),
    "array y": (dict(x=tf.data.Dataset.range(20)), TypeError, "y: expected a dataset or None"),
    "small dataset": (
        dict(x=_as_dataset(np.zeros((7, 1), np.float32), _LABELS[:7]), y=None),
        ValueError,
        "batch_size: expected at most 7 examples",
    ),
    "fewer y": (
        dict(x=_SLICES(_X), y=_SLICES(_LABELS[:9])),
        ValueError,
        "x, y: expected the same length, received 20, 9",
    ),
    "fewer y_meta": (
        dict(x_meta=_SLICES(_X), y_meta=_SLICES(_LABELS[:9])),
        ValueError,
        "x_meta, y_meta: expected the same length, received 20, 9",
    ),
    "fewer weights": (
        dict(x=_as_dataset(_X, _LABELS), y=None, sample_weight=_SLICES(np.ones(9))),
        ValueError,
        "y, sample_weight: expected the same length, received 20, 9",
    ),
    "fewer weights than ids": (
        dict(
            x=_unknown(_as_dataset(_X, _LABELS)),
            y=None,
            sample_id=np.arange(20),
            sample_weight=np.ones(9),
        ),
        ValueError,
        "sample_id, sample_weight: expected the same length, received 20, 9",
    ),
    "other structure": (
        dict(x=_as_dataset({"a": _X}, _LABELS), y=None),
        ValueError,
        r"x_meta: expected the structure of x, .* \({'a': \[1\]}, \[\]\), received \(\[1\], \[\]\)",
    ),
    "other dataset shape": (
        dict(x=_as_dataset(np.zeros((20, 3), np.float32), _LABELS), y=None),
        ValueError,
        "x_meta: expected the shapes and types of x",
    ),
}


@pytest.mark.parametrize("changes, error, message", BAD_PAIRS.values(), ids=BAD_PAIRS.keys())
def test_bad_input_is_refused_in_one_sentence(changes, error, message):
    with pytest.raises(error, match=message) as caught:
        _pair(**changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "fewer"),
    [
        (dict(x=_unknown(_SLICES(_X)), y=_SLICES(_LABELS[:9])), "y"),
        (dict(x=_SLICES(_X[:9]), y=_unknown(_SLICES(_LABELS))), "x"),
        (dict(sample_id=np.arange(9)), "sample_id"),
        (dict(sample_id=np.arange(30)), "y"),
        (dict(sample_weight=np.ones(9)), "sample_weight"),
        (dict(sample_weight=_unknown(_SLICES(np.ones(30)))), "y"),
    ],
)
def test_lengths_that_nobody_knows_are_compared_at_the_end(changes, fewer):
    given = dict(x=_unknown(_as_dataset(_X, _LABELS)), y=None, x_meta=None, y_meta=None)
    dataset = _pair(**{**given, **changes})
    text = rf"expected the same length, received fewer\] \[{fewer}\]"
    with pytest.raises(tf.errors.InvalidArgumentError, match=text):
        _take(dataset, 99)


def test_equal_lengths_that_nobody_knows_change_nothing(monkeypatch):
    x, ids = np.arange(20, dtype=np.float32)[:, None], np.arange(50, 70)
    given = dict(sample_id=ids, sample_weight=_unknown(_SLICES(ids / 50)), x_meta=None, y_meta=None)
    one = dict(x=_unknown(_as_dataset(x, _LABELS)), y=None)
    two = dict(x=_SLICES((x,)), y=_unknown(_SLICES(_LABELS)))  # tuples of one

    def epochs(examples):
        dataset = _pair(**given, **examples)
        return [_take(dataset, 99) for _ in range(2)]

    found = [epochs(one), epochs(two)]
    assert isinstance(found[1][0][0][0]["inputs"], tuple)
    monkeypatch.setattr(
        pair_streams, "zipped", lambda **streams: tf.data.Dataset.zip(*streams.values())
    )
    _assert_equal(found, [epochs(one), epochs(two)])


def test_unequal_examples_of_an_unknown_number():
    rows = tf.data.Dataset.range(1, 6).map(lambda n: (tf.repeat(n, n), n))
    dataset = _pair(
        x=_unknown(rows),
        y=None,
        x_meta=None,
        y_meta=None,
        sample_id=np.arange(5),
        batch_size=2,
        shuffle=False,
        drop_remainder=False,
    )
    sizes = [features["inputs"].shape for features, _ in _take(dataset, 9)]
    assert sizes == [(2, 2), (2, 4), (1, 5)]


def test_endless_examples_ids_and_weights():
    endless = _as_dataset(_X, _LABELS).repeat()
    weights = tf.data.Dataset.from_tensors(1.0).repeat()
    dataset = _pair(x=endless, y=None, sample_weight=weights)
    assert dataset.cardinality() == tf.data.INFINITE_CARDINALITY and len(_take(dataset, 9)) == 9
    dataset = _pair(x=_unknown(_as_dataset(_X, _LABELS)), y=None, sample_weight=weights)
    assert len(_take(dataset, 9)) == 2


def _subset(size, first_id=0):
    ids = np.arange(first_id, first_id + size)
    return Subset(ids[:, None].astype(np.float32), ids % 3, None, ids)


def _two_devices():
    if len(tf.config.list_logical_devices("CPU")) < 2:
        pytest.skip("needs two logical CPU devices")
    one_device = tf.distribute.ReductionToOneDevice()
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], cross_device_ops=one_device)


def _make(kind, meta_batch):
    train, meta = _subset(24), _subset(12, first_id=1000)
    if kind == "stream":
        return pipeline.training_stream(train, meta, 8, meta_batch, 0)
    arrays = kind == "arrays"
    x = train.x if arrays else _as_dataset(train.x, train.label)
    y = train.label if arrays else None
    return _pair(x=x, y=y, x_meta=meta.x, y_meta=meta.label, meta_batch_size=meta_batch)


@pytest.mark.parametrize("meta_batch", [4, 8])
@pytest.mark.parametrize("kind", ["stream", "arrays", "tf.data"])
def test_each_replica_gets_its_half_of_both_batches(kind, meta_batch):
    strategy = _two_devices()
    distributed = iter(strategy.experimental_distribute_dataset(_make(kind, meta_batch)))
    for whole in _take(_make(kind, meta_batch), 3):
        leaves = zip(tf.nest.flatten(next(distributed)), tf.nest.flatten(whole), strict=True)
        for per_replica, both in leaves:
            parts = strategy.experimental_local_results(per_replica)
            assert [len(part) for part in parts] == [len(both) // 2] * 2
            np.testing.assert_array_equal(np.concatenate(parts), both)
