"""The batch of one (seed, epoch, step), as a pure function that runs inside a `tf.data` map."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tf_mwn.checks import check_count
from tf_mwn.data.streams.row_reader import row_reader

# What a random key is for. Keys share (seed, epoch), and must not share bits.
_TRAIN_ORDER, _META_ORDER, _TRAIN_AUGMENT, _META_AUGMENT = range(4)

Preprocess = Callable[[Any], Any]
Augment = Callable[[Any, tf.Tensor], Any]


def steps_per_epoch(num_examples: int, batch_size: int) -> int:
    """Returns the number of whole batches; training drops the remainder to keep shapes static.

    Raises:
        ValueError: the batch is larger than the set, or not positive.
    """
    return num_examples // check_count("batch_size", batch_size, most=num_examples)


def _key(seed: tf.Tensor, counter: tf.Tensor, purpose: int, size: int) -> tf.Tensor:
    """Returns `size` random int64 numbers that belong to (seed, counter, purpose)."""
    return tf.random.stateless_uniform(
        [size],
        seed=tf.stack([tf.cast(seed, tf.int64), 4 * tf.cast(counter, tf.int64) + purpose]),
        minval=None,
        maxval=None,
        dtype=tf.int64,
        alg="philox",
    )


def _shuffled(positions: tf.Tensor, keys: tf.Tensor, size: int) -> tf.Tensor:
    """Returns the rows at `positions` of a random order of `range(size)`, int64 like them.

    The raw op, because `tf.random.experimental.index_shuffle` fails on a seed per position. Its
    keys come from a hash: with plain counters as keys it yields few and poor permutations.
    """
    return tf.raw_ops.RandomIndexShuffle(
        index=positions, seed=keys, max_index=tf.constant(size - 1, tf.int64), rounds=4
    )


def _train_rows(seed, epoch, step, size: int, batch_size: int) -> tf.Tensor:
    """Returns the rows of one training batch, int64 [batch_size]."""
    positions = step * batch_size + tf.range(batch_size, dtype=tf.int64)
    return _shuffled(positions, _key(seed, epoch, _TRAIN_ORDER, 3), size)


def _meta_rows(seed, step, size: int, batch_size: int) -> tf.Tensor:
    """Returns the rows of one meta batch, int64 [batch_size].

    `step` counts from the start of training. A batch is no larger than the set, so it touches two
    meta epochs at most.
    """
    counter = step * batch_size + tf.range(batch_size, dtype=tf.int64)
    epochs = counter // size
    first = epochs[0]
    keys = tf.stack([_key(seed, first, _META_ORDER, 3), _key(seed, first + 1, _META_ORDER, 3)])
    return _shuffled(counter % size, tf.gather(keys, epochs - first), size)


class Batches:
    """Builds the batch of one (seed, epoch, step) from arrays in memory, or from image files."""

    def __init__(self, train, meta, batch_size, meta_batch_size, preprocess=None, augment=None):
        self._size = len(train.label)
        self._batch_size = batch_size
        self.steps = steps_per_epoch(self._size, batch_size)
        self._train = row_reader((train.x, train.label, train.sample_id))
        self._meta = None if meta is None else row_reader((meta.x, meta.label))
        self._meta_size = 0 if meta is None else len(meta.label)
        self._meta_batch_size = meta_batch_size
        self._preprocess = preprocess or (lambda inputs: inputs)
        self._augment = augment or (lambda inputs, seed: inputs)

    def __call__(self, seed, epoch, step, meta_step) -> tuple[dict[str, Any], tf.Tensor]:
        rows = _train_rows(seed, epoch, step, self._size, self._batch_size)
        inputs, label, sample_id = self._train(rows)
        key = _key(seed, meta_step, _TRAIN_AUGMENT, 2)
        features = {"inputs": self._finish(inputs, key), "sample_id": sample_id}
        if self._meta is not None:
            rows = _meta_rows(seed, meta_step, self._meta_size, self._meta_batch_size)
            inputs, features["meta_labels"] = self._meta(rows)
            key = _key(seed, meta_step, _META_AUGMENT, 2)
            features["meta_inputs"] = self._finish(inputs, key)
        return features, label

    def _finish(self, inputs, key):
        return self._preprocess(self._augment(inputs, key))
