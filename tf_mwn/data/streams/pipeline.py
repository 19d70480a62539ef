"""Training and evaluation streams, as `tf.data.Dataset`.

A training element is `({"inputs", "meta_inputs", "meta_labels", "sample_id"}, label)`, without the
`meta_*` keys where there is no meta set; an evaluation element is `(inputs, label)`. Every batch
from arrays is a pure function of (seed, epoch, step), so a stream resumes by starting at another
counter.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from tf_mwn.checks import (
    check_bool,
    check_count,
    check_lengths,
    check_sample_weight,
    check_together,
)
from tf_mwn.data.streams.batches import Augment, Batches, Order, Preprocess, steps_per_epoch
from tf_mwn.data.streams.examples import check_examples, check_meta_batch_size, check_pair
from tf_mwn.data.streams.pair_streams import TrainingSet, pair_streams
from tf_mwn.data.streams.pairing import Pairing
from tf_mwn.data.streams.row_reader import row_reader
from tf_mwn.data.subset import Subset

__all__ = ["evaluation_dataset", "paired_dataset", "steps_per_epoch", "training_stream"]

# Autograph has no control flow to convert here, and takes half a second to find that out.
_AS_IT_IS = tf.autograph.experimental.do_not_convert


def training_stream(
    train: Subset,
    meta: Subset | None,
    batch_size: int,
    meta_batch_size: int | None,
    seed: int,
    start_epoch: int = 0,
    preprocess: Preprocess | None = None,
    augment: Augment | None = None,
    start_step: int = 0,
) -> tf.data.Dataset:
    """Returns the endless stream of training batches, from any step of any epoch on.

    Each epoch is a new order of the training set, without its last partial batch. The meta batches
    go through one order of the meta set after another, whatever the epoch.

    Args:
        train: training set; `x` may be a tuple or dict of arrays, or `ImageFiles`.
        meta: meta set, or None for elements without `meta_*` keys.
        batch_size: global batch size B.
        meta_batch_size: global meta batch size, or None for min(B, meta size).
        seed: seed of order and augmentation, 0 or more.
        start_epoch: first epoch; the stream equals the tail of the one from epoch 0.
        preprocess: function of a batch of any size, each example by itself, applied last.
        augment: function of the batched inputs and an int64 [2] seed, applied first. Neither may
            use Python control flow on tensors.
        start_step: first step, in the first epoch.

    Raises:
        TypeError, ValueError: arrays or sizes that cannot be trained on.
    """
    train, meta = check_pair(train, meta)
    seed = check_count("seed", seed, 0)
    meta_batch_size = check_meta_batch_size(meta, batch_size, meta_batch_size)
    batches = Batches(train, meta, batch_size, meta_batch_size, preprocess, augment)
    first = check_count("start_epoch", start_epoch, 0) * batches.steps
    first_epoch, first_step = divmod(
        first + check_count("start_step", start_step, 0), batches.steps
    )

    @_AS_IT_IS
    def elements(epoch: int) -> Any:
        step = tf.where(epoch == first_epoch, tf.constant(first_step, tf.int64), 0)
        return batches.epoch(seed, epoch, step, epoch * batches.steps)

    stream = tf.data.Dataset.range(first_epoch, tf.int64.max).flat_map(elements)
    return stream.prefetch(tf.data.AUTOTUNE)


def evaluation_dataset(
    inputs: Any, labels: np.ndarray, batch_size: int, preprocess: Preprocess | None = None
) -> tf.data.Dataset:
    """Returns every example once, in order, as `(inputs, label)`; the last batch may be partial.

    Args:
        inputs: [N, ...] array or `ImageFiles`, or a tuple or dict of them.
        labels: [N] or [N, ..], integers or floats.
        batch_size: global batch size.
        preprocess: function of the batched inputs.

    Raises:
        TypeError, ValueError: arrays or sizes that cannot be evaluated on.
    """
    inputs, labels = check_examples("x", inputs, "y", labels)
    batch_size = check_count("batch_size", batch_size, 1)
    read = row_reader((inputs, labels))
    preprocess = preprocess or (lambda batch: batch)

    @_AS_IT_IS
    def batch(rows: Any) -> Any:
        x, y = read(rows)
        return preprocess(x), y

    rows = tf.data.Dataset.range(len(labels)).batch(batch_size)
    dataset = rows.map(batch, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return dataset.prefetch(tf.data.AUTOTUNE)


def paired_dataset(
    x: Any,
    y: Any,
    x_meta: Any,
    y_meta: Any,
    batch_size: int,
    meta_batch_size: int | None = None,
    sample_id: Any = None,
    seed: int = 0,
    sample_weight: Any = None,
    shuffle: bool = True,
    drop_remainder: bool = True,
) -> tf.data.Dataset:
    """Pairs training with meta batches for `model.fit(dataset, epochs=...)`.

    One iteration is one epoch, in a new order each time. All orders follow from `seed` and from
    TensorFlow's global seed, which enters every stateful draw of `tf.data`.

    Arrays: `x` is an array, or a tuple or dict of arrays, with N rows. `tf.data`: `x` is a dataset
    of single `(inputs, label)` examples and `y` None, or `x` and `y` are a dataset each. A shuffle
    buffer then makes the order. The dataset itself must always yield the same order: only then do
    the ids mean the same example in each epoch. Examples of unequal length, such as sentences, are
    padded with 0 to the longest of their batch, and their labels, if these are as long, with -1:
    pass `ignore_class=-1` to `compile`. The same forms hold for the meta set.

    Args:
        x: training inputs.
        y: labels: [N] integers, or [N, C] one-hot floats; of other tasks [N], [N, K], [N, T] or
            [N, H, W], see docs/tasks.md.
        x_meta: inputs of the clean meta set, or None for elements without `meta_*` keys.
        y_meta: labels of the meta set.
        batch_size: global batch size B.
        meta_batch_size: global meta batch size, or None for min(B, meta size).
        sample_id: [N] unique integers that name the training examples; None numbers them.
        seed: seed of the orders, 0 or more.
        sample_weight: [N] numbers of at least 0, or a dataset of them, by which the training
            examples count; see `RobustModel.fit`. They are the third part of each element.
        shuffle: False keeps the order of the training examples. Meta batches are always shuffled.
        drop_remainder: whether the last batch of an epoch is left out if it is not full.

    Returns:
        Dataset of `({"inputs", "meta_inputs", "meta_labels", "sample_id"}, label)`, with the
        weights as third part if there are any.

    Raises:
        TypeError: labels that are no numbers, object arrays, a list of arrays.
        ValueError: lengths or shapes that differ, NaN, negative labels, empty sets, or a batch
            that is larger than its set.

    Examples:
        >>> pairs = tf_mwn.paired_dataset(x, y, x_meta, y_meta, batch_size=50)
        >>> element, labels = next(iter(pairs))
        >>> sorted(element)
        ['inputs', 'meta_inputs', 'meta_labels', 'sample_id']
        >>> element["inputs"].shape, element["meta_inputs"].shape
        (TensorShape([50, 4]), TensorShape([20, 4]))

    See Also:
        - `MetaWeightNet.fit`: takes arrays as well, and pairs them itself.
        - `WholeSets`: both sets in a fixed order, for methods that read them before they train.
    """
    if not isinstance(x_meta, tf.data.Dataset):  # whose elements may hold the labels
        check_together(x_meta=x_meta, y_meta=y_meta)
    seed = check_count("seed", seed, 0)

    order = Order(check_bool("shuffle", shuffle), check_bool("drop_remainder", drop_remainder))
    train = TrainingSet(x, y, sample_id, sample_weight)

    def pairs(size: int | None) -> tf.data.Dataset:
        return _pairs(train, (x_meta, y_meta), batch_size, size, seed, order)

    dataset = pairs(meta_batch_size)
    # `fit` asks for it.
    dataset.pairing = Pairing(pairs, train, (x_meta, y_meta), batch_size, meta_batch_size, seed)
    return dataset


def _pairs(
    train: TrainingSet,
    meta: tuple[Any, Any],
    batch_size: int,
    meta_batch_size: int | None,
    seed: int,
    order: Order,
) -> tf.data.Dataset:
    if any(isinstance(part, tf.data.Dataset) for part in (train.x, train.y, *meta)):
        return pair_streams(train, meta, batch_size, meta_batch_size, seed, order)
    ids, (x_meta, y_meta) = train.sample_id, meta
    if ids is None:
        ids = np.arange(len(train.y) if np.ndim(train.y) else 0)
    pair = check_pair(
        Subset(train.x, train.y, None, ids),
        None if x_meta is None else Subset(x_meta, y_meta, None, None),  # type: ignore[arg-type]  # it needs no ids
    )
    weights = train.sample_weight
    if weights is not None:
        weights = check_sample_weight("sample_weight", weights)
        check_lengths(y=pair[0].label, sample_weight=weights)
    return _paired_arrays(*pair, batch_size, meta_batch_size, seed, weights, order)


def _paired_arrays(
    train: Subset,
    meta: Subset | None,
    batch_size: int,
    meta_batch_size: int | None,
    seed: int,
    weights: np.ndarray | None,
    order: Order,
) -> tf.data.Dataset:
    meta_batch_size = check_meta_batch_size(meta, batch_size, meta_batch_size)
    batches = Batches(train, meta, batch_size, meta_batch_size, sample_weight=weights, order=order)

    @_AS_IT_IS
    def epoch(drawn: Any) -> Any:
        # A dataset cannot count its own iterations. A number drawn for each stands in for
        # (seed, epoch), and the meta batches start a new order with it.
        zero = tf.constant(0, tf.int64)
        return batches.epoch(drawn, zero, zero, zero)

    draws = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).take(1)
    known = tf.data.experimental.assert_cardinality(batches.steps)
    dataset = draws.flat_map(epoch).apply(known).prefetch(tf.data.AUTOTUNE)
    # `fit` compares these with the classifier, which is not known here.
    labels = {"y": train.label, **({} if meta is None else {"y_meta": meta.label})}
    dataset.label_arrays = labels
    return dataset
