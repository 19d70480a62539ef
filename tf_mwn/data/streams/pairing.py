"""What a data set of `paired_dataset` was made of, for models that take more from it."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tf_mwn.data.streams.pair_streams import TrainingSet, in_batches, single_examples, zipped

_BATCH = 10_000  # labels that are counted at once


@dataclasses.dataclass(frozen=True)
class Pairing:
    """The arguments of `paired_dataset`, kept with the data set that it returns.

    Attributes:
        make: meta batch size -> the same pairs with meta batches of this size.
        train: the training set as given.
        meta: (inputs, labels) as given; (None, None) for no meta set.
        batch_size: of the training batches.
        meta_batch_size: as given; None for the default.
        seed: of the orders.
        class_weight: by which the classes count as well, [C] or fewer; None for 1.
    """

    make: Callable[[int], tf.data.Dataset]
    train: TrainingSet
    meta: tuple[Any, Any]
    batch_size: int
    meta_batch_size: int | None
    seed: int
    class_weight: np.ndarray | None = None

    def class_counts(self, num_classes: int, ignored: int | None = None) -> np.ndarray:
        """Training examples of each class, float64 [C]; one-hot and soft labels give their mass.

        An example counts as often as its weight says; one with the label `ignored` does not. A
        `tf.data.Dataset` is read once.

        Raises:
            ValueError: a label that is no class.
        """
        x, y, weights = self.train.x, self.train.y, self.train.sample_weight
        if not any(isinstance(part, tf.data.Dataset) for part in (x, y)):
            counts = _mass(*_counted(np.asarray(y), weights, ignored), num_classes)
        else:
            labels = x.map(lambda inputs, label: label) if y is None else y
            given = self.train.weights()
            parts = {"y": labels} | ({} if given is None else {"sample_weight": given})
            counts = sum(
                _mass(
                    *_counted(part.numpy(), rest[0].numpy() if rest else None, ignored), num_classes
                )
                for part, *rest in zipped(**parts).batch(_BATCH)
            )
        if self.class_weight is not None:
            counts[: len(self.class_weight)] *= self.class_weight[: len(counts)]
        return counts

    def whole(self, batch_size: int) -> tuple[tf.data.Dataset, tf.data.Dataset | None]:
        """Both sets in the order given: ({"inputs", "sample_id"}, labels), and (inputs, labels)."""
        examples = self.train.examples()
        rows = zipped(y=examples, sample_id=self.train.ids())
        rows = rows.map(lambda pair, i: ({"inputs": pair[0], "sample_id": i}, pair[1]))
        train = in_batches(rows, batch_size)
        if self.meta[0] is None:
            return train, None
        return train, in_batches(single_examples(self.meta, "x_meta", "y_meta"), batch_size)

    def clean_examples(self) -> tuple[Any, np.ndarray]:
        """The meta set in memory: inputs [M, ...] and labels [M] or [M, C]."""
        examples = single_examples(self.meta, "x_meta", "y_meta")
        whole = in_batches(examples, max(1, self.num_clean)).take(1)
        inputs, labels = next(iter(whole))
        return tf.nest.map_structure(lambda part: part.numpy(), inputs), labels.numpy()

    @functools.cached_property
    def num_clean(self) -> int:
        """M."""
        return sum(1 for _ in single_examples(self.meta, "x_meta", "y_meta"))


def pairing_of(dataset: Any) -> Pairing | None:
    """The pairing of a data set; None if it is not one of `paired_dataset` itself."""
    return getattr(dataset, "pairing", None)


def _counted(labels: np.ndarray, weights: Any, ignored: int | None) -> tuple[np.ndarray, Any]:
    """The labels that count, [N] or [N, C], and their weights [N] or None."""
    if labels.ndim > 1 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if ignored is None or labels.ndim > 1:
        return labels, weights
    counts = labels != ignored
    return labels[counts], None if weights is None else np.asarray(weights)[counts]


def _mass(labels: np.ndarray, weights: Any, num_classes: int) -> np.ndarray:
    if labels.ndim > 1:
        counted = labels if weights is None else labels * np.asarray(weights)[:, np.newaxis]
        return counted.sum(axis=0, dtype=np.float64)
    if labels.dtype.kind == "f" and num_classes == 2:  # of one logit, perhaps soft
        return _mass(np.stack([1 - labels, labels], axis=1), weights, num_classes)
    labels = labels.astype(np.int64)
    hint = "(classes are numbered from 0)"
    if labels.min(initial=0) < 0:
        raise ValueError(f"fit: expected y to be at least 0, received {labels.min()} {hint}")
    if labels.max(initial=0) >= num_classes:
        raise ValueError(
            f"fit: expected y to be below the classifier's number of classes {num_classes}, "
            f"received {labels.max()} {hint}"
        )
    return np.bincount(labels, weights, minlength=num_classes).astype(np.float64)
