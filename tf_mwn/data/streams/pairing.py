"""What a data set of `paired_dataset` was made of, for models that take more from it."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tf_mwn.data.streams.pair_streams import single_examples


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
        return _class_counts(single_examples(self.train, "x", "y"), num_classes)

    def clean_examples(self) -> tuple[Any, np.ndarray]:
        """The meta set in memory: inputs [M, ...] and labels [M] or [M, C]."""
        examples = single_examples(self.meta, "x_meta", "y_meta")
        whole = examples.batch(max(1, self.num_clean)).take(1)
        inputs, labels = next(iter(whole))
        return tf.nest.map_structure(lambda part: part.numpy(), inputs), labels.numpy()

    @property
    def num_clean(self) -> int:
        """M."""
        return sum(1 for _ in single_examples(self.meta, "x_meta", "y_meta"))


def pairing_of(dataset: Any) -> Pairing | None:
    """The pairing of a data set; None if it is not one of `paired_dataset` itself."""
    return getattr(dataset, "pairing", None)


def _class_counts(examples: tf.data.Dataset, num_classes: int) -> np.ndarray:
    counts = np.zeros(num_classes)
    for labels in examples.map(lambda inputs, label: label).batch(10_000):
        values = labels.numpy()
        if values.ndim > 1:
            counts += values.sum(axis=0)
        else:
            counts += np.bincount(values, minlength=num_classes)
    return counts
