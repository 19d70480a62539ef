"""What a data set of `paired_dataset` was made of, for models that take more from it."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tf_mwn.data.streams.pair_streams import single_examples

_BATCH = 10_000  # labels that are counted at once


@dataclasses.dataclass(frozen=True)
class Pairing:
    """The arguments of `paired_dataset`, kept with the data set that it returns.

    Attributes:
        make: meta batch size -> the same pairs with meta batches of this size.
        train, meta: (inputs, labels) as given; (None, None) for no meta set.
        batch_size: of the training batches.
        meta_batch_size: as given; None for the default.
        seed: of the orders.
    """

    make: Callable[[int], tf.data.Dataset]
    train: tuple[Any, Any]
    meta: tuple[Any, Any]
    batch_size: int
    meta_batch_size: int | None
    seed: int

    def class_counts(self, num_classes: int) -> np.ndarray:
        """Training examples of each class, float64 [C]; one-hot and soft labels give their mass.

        A `tf.data.Dataset` is read once.
        """
        x, y = self.train
        if not any(isinstance(part, tf.data.Dataset) for part in self.train):
            return _mass(np.asarray(y), num_classes)
        labels = x.map(lambda inputs, label: label) if y is None else y
        return sum(_mass(part.numpy(), num_classes) for part in labels.batch(_BATCH))

    def clean_examples(self) -> tuple[Any, np.ndarray]:
        """The meta set in memory: inputs [M, ...] and labels [M] or [M, C]."""
        examples = single_examples(self.meta, "x_meta", "y_meta")
        whole = examples.batch(max(1, self.num_clean)).take(1)
        inputs, labels = next(iter(whole))
        return tf.nest.map_structure(lambda part: part.numpy(), inputs), labels.numpy()

    @functools.cached_property
    def num_clean(self) -> int:
        """M."""
        return sum(1 for _ in single_examples(self.meta, "x_meta", "y_meta"))


def pairing_of(dataset: Any) -> Pairing | None:
    """The pairing of a data set; None if it is not one of `paired_dataset` itself."""
    return getattr(dataset, "pairing", None)


def _mass(labels: np.ndarray, num_classes: int) -> np.ndarray:
    if labels.ndim > 1:
        return labels.sum(axis=0, dtype=np.float64)
    return np.bincount(labels, minlength=num_classes).astype(np.float64)
