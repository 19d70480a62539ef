"""The whole training and meta set, which some methods read between epochs."""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.tensors import Inputs, Logits, Tensor


@dataclasses.dataclass(frozen=True)
class WholeSets:
    """Both sets in a fixed order, for any number of passes; inputs as in evaluation.

    Attributes:
        train: batches ({"inputs", "sample_id"}, labels), all examples once, never augmented.
        meta: batches (inputs, labels); None where there is no meta set.

    Examples:
        >>> model = tf_mwn.GoldLossCorrection(classifier, num_classes=2, epochs=1)
        >>> model.whole_sets = tf_mwn.WholeSets.from_arrays(x, y, x_meta, y_meta)

    See Also:
        `paired_dataset`: the batches of a training.
    """

    train: tf.data.Dataset
    meta: tf.data.Dataset | None = None

    @classmethod
    def from_arrays(
        cls,
        x: Any,
        y: Any,
        x_meta: Any = None,
        y_meta: Any = None,
        sample_id: np.ndarray | None = None,
        batch_size: int = 500,
    ) -> "WholeSets":
        """The sets in arrays (or tuples or dicts of arrays), as given to `paired_dataset`."""
        if sample_id is None:
            sample_id = np.arange(len(tf.nest.flatten(x)[0]))
        features = {"inputs": x, "sample_id": sample_id}
        train = tf.data.Dataset.from_tensor_slices((features, y)).batch(batch_size)
        if x_meta is None:
            return cls(train)
        return cls(train, tf.data.Dataset.from_tensor_slices((x_meta, y_meta)).batch(batch_size))


def evaluated(
    function: Callable[[Any], Any], batches: Iterable[tuple[Any, Any]]
) -> Iterator[tuple[Any, Any, Tensor | None]]:
    """Runs a function of the inputs over a set, compiled.

    Args:
        function: of a batch of inputs; a model in evaluation mode, for example. A `tf.function`
            keeps what it has traced from one pass to the next.
        batches: `WholeSets.train`, `WholeSets.meta`, or other pairs of inputs and labels.

    Yields:
        (value of the function, labels, sample_id [B] or None) of each batch, in order.
    """
    compiled = function
    if not isinstance(function, tf.types.experimental.PolymorphicFunction):
        compiled = tf.function(function, reduce_retracing=True)
    for features, labels in batches:
        sample_id = None
        if isinstance(features, dict) and "sample_id" in features:
            features, sample_id = features["inputs"], features["sample_id"]
        yield compiled(features), labels, sample_id


def logits_of(
    classifier: keras.Model | Callable[[Inputs], Logits], batches: Iterable[tuple[Any, Any]]
) -> tuple[Any, Any, Any]:
    """Logits [N, C] in float32 and evaluation mode, labels [N], and ids [N], of a whole set.

    Labels and ids are None where the batches have none. `classifier` may also be a function of
    the inputs; see `evaluated`, also for the batches.
    """
    function = classifier
    if isinstance(classifier, keras.Model):
        function = functools.partial(classifier, training=False)
    logits, labels, ids = zip(*evaluated(function, batches), strict=True)
    return _joined([tf.cast(part, tf.float32) for part in logits]), _joined(labels), _joined(ids)


def _joined(parts: Sequence[Tensor | None]) -> np.ndarray | None:
    known = [part.numpy() for part in parts if part is not None]
    return np.concatenate(known) if known else None
