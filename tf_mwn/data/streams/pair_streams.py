"""Pairs of training and meta batches from `tf.data` inputs that need not fit in memory."""

import dataclasses
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tf_mwn.checks import check_count, check_lengths, check_sample_weight, check_unique
from tf_mwn.data.streams.batches import Order
from tf_mwn.data.streams.examples import check_examples

# Single examples held back for shuffling: about 120 MB of 32x32x3 float32 images.
SHUFFLE_BUFFER = 10_000


@dataclasses.dataclass(frozen=True)
class TrainingSet:
    """What `paired_dataset` is given of the training set.

    Attributes:
        x, y: arrays; a dataset of `(inputs, label)` and None; or two datasets.
        sample_id: ids of the examples, or None to number them.
        sample_weight: [N], or a dataset of numbers; None for 1.
    """

    x: Any
    y: Any
    sample_id: Any = None
    sample_weight: Any = None

    def examples(self) -> tf.data.Dataset:
        """Single examples, (inputs, label)."""
        return single_examples((self.x, self.y), "x", "y")

    def ids(self) -> tf.data.Dataset:
        """The id of each of the examples; endless if none are given."""
        ids = self.sample_id
        if ids is None:
            return tf.data.Dataset.counter()
        if isinstance(ids, tf.data.Dataset):
            return ids.map(lambda value: tf.cast(value, tf.int64))
        return tf.data.Dataset.from_tensor_slices(check_unique("sample_id", ids))

    def weights(self) -> tf.data.Dataset | None:
        """The weight of each of the examples, or None."""
        weights = self.sample_weight
        if weights is None:
            return None
        if isinstance(weights, tf.data.Dataset):
            return weights.map(lambda value: tf.cast(value, tf.float32))
        return tf.data.Dataset.from_tensor_slices(check_sample_weight("sample_weight", weights))


def pair_streams(
    train: TrainingSet,
    meta: tuple[Any, Any],
    batch_size: int,
    meta_batch_size: int | None,
    seed: int,
    order: Order = Order(),  # noqa: B008 - frozen
) -> tf.data.Dataset:
    """Pairs two streams of single examples; see `tf_mwn.data.streams.pipeline.paired_dataset`.

    The training stream is shuffled anew in each iteration and decides how long one lasts. The meta
    stream repeats without end.

    Args:
        train: the training set.
        meta: `(x, y)` of the meta set, in the same forms; `(None, None)` for none.
        batch_size: global batch size.
        meta_batch_size: global meta batch size, or None.
        seed: seed of both shuffles.
        order: of the training batches.
    """
    examples = train.examples()
    batch_size = _check_batch_size("batch_size", batch_size, examples)
    weights = train.weights()
    parts = {"y": examples, "sample_id": train.ids()}
    parts |= {} if weights is None else {"sample_weight": weights}
    padding = (_padding(examples.element_spec), *(None for _ in list(parts)[1:]))
    batches = _batches(zipped(**parts), batch_size, seed, order, padding)
    if meta[0] is None:
        return batches.map(_plain_element).prefetch(tf.data.AUTOTUNE)
    meta_examples = _examples("x_meta", meta[0], "y_meta", meta[1])
    _check_specs(examples.element_spec, meta_examples.element_spec)
    if meta_batch_size is None:
        size = int(meta_examples.cardinality())
        meta_batch_size = min(batch_size, size) if size > 0 else batch_size
    meta_batch_size = _check_batch_size("meta_batch_size", meta_batch_size, meta_examples)
    padding = _padding(meta_examples.element_spec)
    meta_batches = _batches(meta_examples, meta_batch_size, seed + 1, Order(), padding, repeat=True)
    pairs = tf.data.Dataset.zip(batches, meta_batches)
    return pairs.map(_paired_element).prefetch(tf.data.AUTOTUNE)


def _plain_element(examples, sample_id, *weights):
    inputs, label = examples
    return {"inputs": inputs, "sample_id": sample_id}, label, *weights


def _paired_element(batch, meta_batch):
    features, *rest = _plain_element(*batch)
    meta_inputs, meta_labels = meta_batch
    return {**features, "meta_inputs": meta_inputs, "meta_labels": meta_labels}, *rest


def _batches(
    examples, batch_size: int, seed: int, order: Order, padding: Any, repeat: bool = False
):
    size = int(examples.cardinality())
    buffer = min(size, SHUFFLE_BUFFER) if size > 0 else SHUFFLE_BUFFER
    if order.shuffles:
        examples = examples.shuffle(buffer, seed=seed, reshuffle_each_iteration=True)
    if repeat:  # before batching, so that a meta batch is never partial
        examples = examples.repeat()
    return _batched(examples, batch_size, padding, order.drops_rest)


def _batched(examples, batch_size: int, padding: Any, drops_rest: bool = False):
    if any(None in spec.shape for spec in tf.nest.flatten(examples.element_spec)):
        return examples.padded_batch(batch_size, padding_values=padding, drop_remainder=drops_rest)
    return examples.batch(batch_size, drop_remainder=drops_rest)


def in_batches(examples: tf.data.Dataset, batch_size: int) -> tf.data.Dataset:
    """Single examples (inputs, label) in order and in batches, padded if they differ in length."""
    return _batched(examples, batch_size, _padding(examples.element_spec))


def single_examples(pair: tuple[Any, Any], x_name: str, y_name: str) -> tf.data.Dataset:
    """A set as `paired_dataset` takes it as single examples, (inputs, label)."""
    return _examples(x_name, pair[0], y_name, pair[1])


def _examples(x_name: str, x: Any, y_name: str, y: Any) -> tf.data.Dataset:
    """Returns single `(inputs, label)` examples, integer labels as int64."""
    if not isinstance(x, tf.data.Dataset):
        if isinstance(y, tf.data.Dataset):
            raise TypeError(
                f"{x_name}: expected a dataset with a dataset {y_name}, received {type(x).__name__}"
            )
        return tf.data.Dataset.from_tensor_slices(check_examples(x_name, x, y_name, y))
    if y is not None and not isinstance(y, tf.data.Dataset):
        raise TypeError(
            f"{y_name}: expected a dataset or None with a dataset {x_name}, "
            f"received {type(y).__name__}"
        )
    given = {x_name: x} if y is None else {x_name: x, y_name: y}
    streams = {name: _mapped(_dense, part) for name, part in given.items()}
    for stream in streams.values():
        _check_ranks(x_name, stream.element_spec)
    examples = streams[x_name] if y is None else zipped(**streams)
    label = _check_label_spec(x_name, examples.element_spec)
    if label.dtype.is_floating:
        return examples
    return examples.map(lambda inputs, label: (inputs, tf.cast(label, tf.int64)))


def zipped(**streams: tf.data.Dataset) -> tf.data.Dataset:
    """Tuples of what the streams yield; those with an end have the same length.

    A stream whose length is not known before it is read raises where it or another ends too early.

    Raises:
        ValueError: lengths that differ.
    """
    sizes = {name: int(stream.cardinality()) for name, stream in streams.items()}
    check_lengths(**{name: range(size) for name, size in sizes.items() if size >= 0})
    ending = [name for name, size in sizes.items() if size != tf.data.INFINITE_CARDINALITY]
    if len(ending) < 2 or tf.data.UNKNOWN_CARDINALITY not in sizes.values():
        return tf.data.Dataset.zip(tuple(streams.values()))

    def goes_on(*elements: Any) -> Any:
        there = [goes for name, (goes, _) in zip(streams, elements, strict=True) if name in ending]
        text = f"{', '.join(ending)}: expected the same length, received fewer"
        fewer = tf.boolean_mask(ending, tf.logical_not(there))
        tf.debugging.Assert(tf.reduce_all(tf.equal(there, there[0])), [text, fewer])
        return there[0]

    together = tf.data.Dataset.zip(tuple(map(_with_its_end, streams.values()))).take_while(goes_on)
    return together.map(lambda *elements: tuple(value for _, value in elements))


def _with_its_end(stream: tf.data.Dataset) -> tf.data.Dataset:
    """(True, element) for each element, and after the last one (False, a blank one)."""
    blank = tf.nest.map_structure(
        lambda part: tf.zeros([size or 0 for size in part.shape], part.dtype), stream.element_spec
    )
    marked = _mapped(lambda element: (True, element), stream)
    return marked.concatenate(tf.data.Dataset.from_tensors((False, blank)))


def _mapped(function: Callable[[Any], Any], stream: tf.data.Dataset) -> tf.data.Dataset:
    """`map` of a function that takes an element whole, also if it is a tuple."""
    whole = type(stream.element_spec) is not tuple
    return stream.map(lambda *element: function(element[0] if whole else element))


def _dense(element: Any) -> Any:
    """Ragged and sparse tensors as dense ones, padded with 0."""

    def dense(part):
        if isinstance(part, tf.RaggedTensor):
            return part.to_tensor()
        return tf.sparse.to_dense(part) if isinstance(part, tf.SparseTensor) else part

    return tf.nest.map_structure(dense, element)


def _check_ranks(name: str, spec: Any) -> None:
    """Refuses examples of which not even the number of axes is known: they cannot be padded."""
    for part in tf.nest.flatten(spec):
        if part.shape.rank is None:
            raise ValueError(
                f"{name}: expected examples with a known number of axes, received {part}; give "
                "the generator an output_signature, or .map(tf.ensure_shape) the dataset"
            )


def _padding(spec: Any) -> Any:
    """The values that pad inputs and label: -1 for labels of open length, by default 0."""
    inputs, label = spec
    minus_one = tf.constant(-1, label.dtype) if None in label.shape else None
    return tf.nest.map_structure(lambda part: None, inputs), minus_one


def _check_label_spec(name: str, spec: Any) -> tf.TensorSpec:
    """Checks that a dataset yields single `(inputs, label)` examples; returns the label's spec."""
    label = spec[1] if isinstance(spec, tuple) and len(spec) == 2 else None
    if not isinstance(label, tf.TensorSpec):
        raise ValueError(f"{name}: expected elements (inputs, label), received {spec}")
    if not (label.dtype.is_integer or label.dtype.is_floating or label.dtype.is_bool):
        raise ValueError(f"{name}: expected labels that are numbers, received {label.dtype.name}")
    return label


def check_example_spec(name: str, spec: Any) -> tf.TensorSpec:
    """Checks that a dataset yields single `(inputs, label)` examples; returns the label's spec."""
    if not isinstance(spec, tuple) or len(spec) != 2 or not isinstance(spec[1], tf.TensorSpec):
        raise ValueError(f"{name}: expected elements (inputs, label), received {spec}")
    label = spec[1]
    one_hot = label.shape.rank == 1 and label.dtype.is_floating and (label.shape[0] or 0) > 1
    if not one_hot and (label.shape.rank != 0 or not label.dtype.is_integer):
        hint = " (call .unbatch() on a batched dataset)" if label.shape.rank == 1 else ""
        if label.shape == [1]:
            hint = " (take label[0])"
        raise ValueError(
            f"{name}: expected labels that are one integer or a one-hot float vector, "
            f"received {label.dtype.name} of shape {label.shape}{hint}"
        )
    return label


def _check_specs(train: Any, meta: Any) -> None:
    try:
        tf.nest.assert_same_structure(train, meta)
    except (TypeError, ValueError):
        shapes = [
            tf.nest.map_structure(lambda part: list(part.shape), spec) for spec in (train, meta)
        ]
        raise ValueError(
            f"x_meta: expected the structure of x, with shapes {shapes[0]}, received {shapes[1]}"
        ) from None
    for one, other in zip(tf.nest.flatten(train), tf.nest.flatten(meta), strict=True):
        if not one.is_compatible_with(other):
            raise ValueError(
                f"x_meta: expected the shapes and types of x, {one.dtype.name} {one.shape}, "
                f"received {other.dtype.name} {other.shape}"
            )


def _check_batch_size(name: str, batch_size: int, examples: tf.data.Dataset) -> int:
    size = int(examples.cardinality())  # negative for unknown or endless
    return check_count(name, batch_size, most=size if size >= 0 else None)
