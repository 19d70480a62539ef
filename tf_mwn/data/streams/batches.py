"""The batch of one (seed, epoch, step), as a pure function that runs inside a `tf.data` map."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tf_mwn.checks import check_count
from tf_mwn.data.images.files import ImageFiles
from tf_mwn.data.streams.row_reader import row_reader
from tf_mwn.data.subset import Subset

# What a random key is for. Keys share (seed, epoch), and must not share bits.
_TRAIN_ORDER, _META_ORDER, _TRAIN_AUGMENT, _META_AUGMENT = range(4)
# Batches built at once: at most so many, with at most so many numbers in their inputs (8 MB).
_MOST_STEPS, _MOST_NUMBERS = 16, 2_000_000
# Sets of at most so many numbers (64 MB) are preprocessed once.
_MOST_READY = 16_000_000
# Below this size, sorting the whole set is faster than shuffling single positions, which tries
# about 2^16 / size numbers for each.
_SMALL = 1024

Preprocess = Callable[[Any], Any]
Augment = Callable[[Any, tf.Tensor], Any]


@dataclasses.dataclass(frozen=True)
class Order:
    """How an epoch goes through the training set.

    Attributes:
        shuffles: in a new order each time; else in that of the rows. Meta batches always shuffle.
        drops_rest: whether the last batch is left out if it is not full.
    """

    shuffles: bool = True
    drops_rest: bool = True


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


def _shuffled(positions: tf.Tensor, seed, counter, purpose: int, size: int) -> tf.Tensor:
    """Returns the rows at `positions` of a random order of `range(size)`, int64 like them.

    The order belongs to (seed, counter, purpose).
    """
    if size < _SMALL:
        order = tf.argsort(_key(seed, counter, purpose, size))
        return tf.cast(tf.gather(order, positions), tf.int64)
    # Its keys come from a hash: with plain counters as keys it yields few and poor permutations.
    return tf.raw_ops.RandomIndexShuffle(
        index=positions,
        seed=_key(seed, counter, purpose, 3),
        max_index=tf.constant(size - 1, tf.int64),
        rounds=4,
    )


def _train_rows(seed, epoch, first, length, size: int, shuffles: bool) -> tf.Tensor:
    """Returns the rows at `length` positions of an epoch from `first` on, int64 [length]."""
    positions = first + tf.range(length, dtype=tf.int64)
    return _shuffled(positions, seed, epoch, _TRAIN_ORDER, size) if shuffles else positions


def _meta_rows(seed, step, count, most: int, size: int, batch_size: int) -> tf.Tensor:
    """Returns the rows of `count` meta batches, int64 [count * batch_size].

    `step` counts from the start of training. `most` batches touch one order of the set more than
    they fill.
    """
    first, last = step * batch_size, (step + count) * batch_size
    rows = []
    for i in range(2 + (most * batch_size - 1) // size):
        epoch = first // size + i
        begin = tf.maximum(first, epoch * size)
        length = tf.maximum(tf.minimum(last, epoch * size + size) - begin, 0)
        # The operation refuses to shuffle nothing.
        positions = (begin + tf.range(tf.maximum(length, 1))) % size
        rows.append(_shuffled(positions, seed, epoch, _META_ORDER, size)[:length])
    return tf.concat(rows, axis=0)


def _holds_files(x: Any) -> bool:
    return any(isinstance(part, ImageFiles) for part in tf.nest.flatten(x))


def _numbers(x: Any) -> int:
    return sum(math.prod(np.shape(part)) for part in tf.nest.flatten(x))


class Batches:
    """Builds batches of one (seed, epoch, step) from arrays in memory, or from image files.

    Small batches are built several at once, as it takes the same operations.

    Attributes:
        steps: number of steps of an epoch.
        at_once: largest number of batches that are built at once.
    """

    def __init__(
        self,
        train: Subset,
        meta: Subset | None,
        batch_size: int,
        meta_batch_size: int | None,
        preprocess: Preprocess | None = None,
        augment: Augment | None = None,
        sample_weight: np.ndarray | None = None,
        order: Order = Order(),
    ) -> None:
        self._size = len(train.label)
        self._batch_size, self._order = batch_size, order
        self._whole = steps_per_epoch(self._size, batch_size)
        self._rest = 0 if order.drops_rest else self._size - self._whole * batch_size
        self.steps = self._whole + (self._rest > 0)
        self._meta_size = 0 if meta is None else len(meta.label)
        self._meta_batch_size = meta_batch_size
        self._preprocess, self._augment = preprocess or (lambda inputs: inputs), augment
        self.at_once = self._steps_at_once(train.x)
        ready = self._is_small(train.x) and (meta is None or self._is_small(meta.x))
        x = self._preprocess(train.x) if ready else train.x
        weights = () if sample_weight is None else (sample_weight,)
        self._train = row_reader((x, train.label, train.sample_id, *weights))
        self._meta = None
        if meta is not None:
            x = self._preprocess(meta.x) if ready else meta.x
            self._meta = row_reader((x, meta.label))
        if ready:
            self._preprocess = lambda inputs: inputs

    def _steps_at_once(self, x: Any) -> int:
        """1 with augmentation, whose draws belong to one batch, and for files, which take long."""
        if self._augment is not None or _holds_files(x):
            return 1
        batch = _numbers(x) // self._size * (self._batch_size + (self._meta_batch_size or 0))
        return min(_MOST_STEPS, self._whole, max(1, _MOST_NUMBERS // max(1, batch)))

    def _is_small(self, x: Any) -> bool:
        """Whether to preprocess the whole set at once, rather than each batch."""
        return self._augment is None and not _holds_files(x) and _numbers(x) <= _MOST_READY

    def epoch(self, seed, epoch, first, meta_offset) -> tf.data.Dataset:
        """The elements of an epoch from step `first` on.

        Args:
            seed, epoch, first: int64 scalars.
            meta_offset: steps before this epoch, which the meta batches count from.
        """

        def mapped(steps, most, rest=0):
            @tf.autograph.experimental.do_not_convert
            def elements(step):
                return self._elements(seed, epoch, step, meta_offset + step, most, rest)

            return steps.map(elements, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)

        chunks = mapped(tf.data.Dataset.range(first, self._whole, self.at_once), self.at_once)
        whole = chunks.unbatch() if self.at_once > 1 else chunks
        if not self._rest:
            return whole
        last = tf.data.Dataset.range(self._whole, self.steps)
        return whole.concatenate(mapped(last, 1, self._rest))

    def _elements(self, seed, epoch, step, meta_step, most: int, rest: int) -> tuple:
        """Up to `most` elements, stacked; one element itself where that is 1.

        Its batch has `rest` examples if that is not 0.
        """
        count = tf.minimum(tf.constant(most, tf.int64), self._whole - step) if most > 1 else 1
        first, length = step * self._batch_size, rest or count * self._batch_size
        rows = _train_rows(seed, epoch, first, length, self._size, self._order.shuffles)
        inputs, label, sample_id, *weights = self._train(rows)
        key = (seed, meta_step, _TRAIN_AUGMENT)
        features = {"inputs": self._finish(inputs, key), "sample_id": sample_id}
        parts = (features, label, *weights)
        features, *others = self._stacked(parts, self._batch_size, most)
        if self._meta is not None:
            size, batch_size = self._meta_size, self._meta_batch_size
            rows = _meta_rows(seed, meta_step, count, most, size, batch_size)
            inputs, labels = self._meta(rows)
            inputs = self._finish(inputs, (seed, meta_step, _META_AUGMENT))
            stacked = self._stacked((inputs, labels), batch_size, most)
            features["meta_inputs"], features["meta_labels"] = stacked
        return features, *others

    def _stacked(self, structure: Any, batch_size: int, most: int) -> Any:
        if most == 1:
            return structure
        return tf.nest.map_structure(
            lambda part: tf.reshape(part, [-1, batch_size, *part.shape[1:]]), structure
        )

    def _finish(self, inputs, key):
        if self._augment is not None:
            inputs = self._augment(inputs, _key(*key, 2))
        return self._preprocess(inputs)
