"""Checks of every batch that `fit` trains on, in the stream: on the host, on any number of devices.

They say of a stream what `tf_mwn.paired_dataset` says of arrays.
"""

import contextlib
import dataclasses
import re
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

from tf_mwn.tensors import Element, Inputs, Labels, Tensor
from tf_mwn.training.checks.losses import LabelRange

# Around a message, to find it in the error that TensorFlow makes of a failed assertion.
_OPEN, _CLOSE = "<tf_mwn>", "</tf_mwn>"


@dataclasses.dataclass(frozen=True)
class BatchCheck:
    """What a batch must be like.

    Attributes:
        labels: what the loss takes, by the name of the labels: "labels" and "meta_labels".
        shape: of an example, None where it is open; None if the classifier has several inputs.
        reads_training_set: whether the method reads more than the meta set.
        ignored: the label of outputs that count nowhere; None for none.
    """

    labels: dict[str, LabelRange]
    shape: tuple[int | None, ...] | None
    reads_training_set: bool = True
    ignored: int | None = None

    def __call__(self, element: Element, labels: Labels, *weights: Tensor) -> tuple[Any, ...]:
        """The batch as it is.

        Raises:
            tf.errors.InvalidArgumentError: with a message that `mistakes_in_batches` understands.
        """
        parts = {}
        if self.reads_training_set:
            parts["labels"] = element["inputs"], labels, "x", "y"
        if "meta_inputs" in element:
            both = element["meta_inputs"], element["meta_labels"]
            parts["meta_labels"] = (*both, "x_meta", "y_meta")
        asserted = []
        for name, (x, y, x_name, y_name) in parts.items():
            asserted += self._of_inputs(x, x_name)
            asserted += self._of_lengths(x, y, x_name, y_name)
            asserted += self.of_labels(tf.convert_to_tensor(y), y_name, self.labels[name])
        for values in weights:
            asserted += self._of_weights(tf.convert_to_tensor(values), labels)
        asserted = [operation for operation in asserted if operation is not None]  # None if eager
        with tf.control_dependencies(asserted):
            return tf.nest.map_structure(tf.identity, (element, labels, *weights))

    def _of_inputs(self, inputs: Inputs, name: str) -> list[tf.Operation]:
        asserted = []
        for x in tf.nest.flatten(inputs, expand_composites=True):
            x = tf.convert_to_tensor(x)
            if self.shape is not None and x.shape.rank == len(self.shape) + 1:
                for axis, size in enumerate(self.shape, 1):
                    if size is not None and x.shape[axis] is None:
                        found = tf.shape(x)[axis]
                        text = (
                            f"expected {name} of length {size} in axis {axis}, received {{}}; "
                            "bring all examples to the length that the classifier takes"
                        )
                        asserted.append(_require(found == size, text, found))
            if x.dtype.is_floating and x.shape.rank:
                finite = tf.reduce_all(tf.math.is_finite(x), axis=list(range(1, x.shape.rank)))
                row = tf.argmin(tf.cast(finite, tf.int32))
                text = f"expected finite {name}, received NaN or infinity in row {{}} of a batch"
                asserted.append(_require(tf.reduce_all(finite), text, row))
        return asserted

    def _of_lengths(
        self, inputs: Inputs, labels: Labels, x_name: str, y_name: str
    ) -> list[tf.Operation]:
        first = tf.nest.flatten(inputs, expand_composites=True)[0]
        sizes = tf.shape(first)[0], tf.shape(labels)[0]
        text = f"expected as many {y_name} as {x_name} in a batch, {{}}, received {{}}"
        return [_require(sizes[0] == sizes[1], text, *sizes)]

    def _of_weights(self, weights: Tensor, labels: Labels) -> list[tf.Operation]:
        sizes = tf.shape(weights)[0], tf.shape(labels)[0]
        text = "expected as many sample_weight as y in a batch, {}, received {}"
        counted = _require(sizes[0] == sizes[1], text, sizes[1], sizes[0])
        text = "expected sample_weight in [0, inf), received {}"
        largest = tf.cast(weights.dtype.max, weights.dtype)
        fits = (weights >= 0) & (weights <= largest)  # False for NaN
        wrong = tf.gather(weights, tf.argmin(tf.cast(fits, tf.int32)))
        return [counted, _require(tf.reduce_all(fits), text, wrong)]

    def of_labels(self, labels: Labels, name: str, known: LabelRange) -> list[tf.Operation]:
        """The assertions on labels [B, ..]; they raise at once where the labels are values."""
        asserted = []
        if labels.dtype.is_floating:
            text = f"expected finite {name}, received NaN or infinity"
            asserted.append(_require(tf.reduce_all(tf.math.is_finite(labels)), text))
        if self.ignored is not None and not known.sums_to_one:
            first = tf.cast(known.low or 0, labels.dtype)
            labels = tf.where(labels == tf.cast(self.ignored, labels.dtype), first, labels)
        low, high = tf.reduce_min(labels), tf.reduce_max(labels)
        hint = " (classes are numbered from 0)" if known.numbered else ""
        if known.low is not None and not (labels.dtype.is_unsigned or labels.dtype.is_bool):
            text = f"expected {name} to be at least {known.low}, received {{}}{hint}"
            asserted.append(_require(low >= tf.cast(known.low, low.dtype), text, low))
        if known.high is not None and not labels.dtype.is_bool:
            text = f"expected {name} to be at most {known.high}, received {{}}"
            if known.numbered:
                text = (
                    f"expected {name} to be below the classifier's number of classes "
                    f"{known.high + 1}, received {{}}{hint}"
                )
            asserted.append(_require(high <= tf.cast(known.high, high.dtype), text, high))
        if known.sums_to_one:
            asserted.append(self._of_sums(labels, name))
        return asserted

    def _of_sums(self, labels: Labels, name: str) -> tf.Operation:
        sums = tf.reduce_sum(tf.cast(labels, keras.config.floatx()), axis=-1)
        if self.ignored is not None:
            is_ignored = tf.reduce_all(labels == tf.cast(self.ignored, labels.dtype), axis=-1)
            sums = tf.where(is_ignored, tf.ones_like(sums), sums)
        ends = tf.reduce_min(sums), tf.reduce_max(sums)
        near = tf.logical_and(ends[0] >= 1 - 1e-3, ends[1] <= 1 + 1e-3)
        text = f"expected {name} in rows of probabilities that sum to 1, "
        text += "received sums from {} to {}"
        return _require(near, text, *ends)


class CheckedBatches(keras.utils.PyDataset):
    """The batches of a `PyDataset`, each checked when it is read.

    Args:
        batches: of training elements.
        checked: a batch -> the batch, or an error.
    """

    def __init__(self, batches: keras.utils.PyDataset, checked: Callable[[Any], Any]) -> None:
        super().__init__(batches.workers, batches.use_multiprocessing, batches.max_queue_size)
        self._batches, self._checked = batches, checked

    def __len__(self) -> int:
        return len(self._batches)

    @property
    def num_batches(self) -> int | None:
        return self._batches.num_batches

    def __getitem__(self, index: int) -> Any:
        return self._checked(self._batches[index])

    def on_epoch_begin(self) -> None:
        self._batches.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self._batches.on_epoch_end()


def _require(condition: Tensor, text: str, *values: Tensor) -> tf.Operation:
    message = tf.strings.format(f"{_OPEN}fit: {text}{_CLOSE}", values)
    return tf.debugging.Assert(condition, [message])


@contextlib.contextmanager
def mistakes_in_batches() -> Iterator[None]:
    """Raises what a `BatchCheck` found as a ValueError of one line."""
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        found = re.search(f"{_OPEN}(.*?){_CLOSE}", error.message, re.DOTALL)
        if found is None:
            raise
        raise ValueError(found[1].replace("\\'", "'")) from None
