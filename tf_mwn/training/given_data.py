"""Arrays that `fit` is given, as the elements that `paired_dataset` makes of them."""

import dataclasses
import math
import types
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.checks import OPEN_UNIT, check_count, check_lengths, check_together
from tf_mwn.data.images.files import ImageFiles
from tf_mwn.data.streams.examples import is_text
from tf_mwn.data.streams.pipeline import paired_dataset
from tf_mwn.engine import keras_internals
from tf_mwn.training.elements import is_training_element

BATCH_SIZE = 32  # as in Keras


@dataclasses.dataclass(frozen=True)
class Given:
    """The data that `fit` is given; see there."""

    x: Any
    y: Any
    sample_weight: Any
    x_meta: Any
    y_meta: Any
    meta_batch_size: int | None
    validation_split: float

    def as_elements(self, model: Any, batch_size: int | None, shuffle: bool) -> tuple[Any, Any]:
        """Training elements: a stream, or one element in a tuple; and validation data, or None.

        Args:
            model: a `RobustModel`.
            batch_size, shuffle: of `fit`.

        Raises:
            TypeError, ValueError: see `fit`.
        """
        if is_training_element(self.x):
            self._refuse_but("y", "sample_weight")
            weights = () if self.sample_weight is None else (self.sample_weight,)
            return (self.x, self.y, *weights), None
        if isinstance(self.x, (tf.data.Dataset, types.GeneratorType, keras.utils.PyDataset)):
            self._refuse_but()
            return self.x, None
        train, meta, held_out = Arrays.of(self.x, self.y, self.sample_weight), None, None
        check_together(x_meta=self.x_meta, y_meta=self.y_meta)
        if self.x_meta is not None:
            meta = Arrays.of(self.x_meta, self.y_meta, end="_meta")
        if self.validation_split:
            train, held_out = train.split(self.validation_split)
        sizes = batch_size, self.meta_batch_size
        seed = keras_internals.steps_taken(model.optimizer) if model.compiled else 0
        devices = model.distribute_strategy.num_replicas_in_sync
        pairs = pairs_of_arrays(train, meta, *sizes, shuffle, seed, devices)
        return pairs, held_out and held_out.as_validation_data()

    def _refuse_but(self, *names: str) -> None:
        for name, value in vars(self).items():
            given = value is not None and not (name == "validation_split" and value == 0)
            if given and name not in ("x", *names):
                raise ValueError(
                    f"{name}: expected arrays x with it, received {type(self.x).__name__}, whose "
                    "elements hold all there is"
                )


@dataclasses.dataclass(frozen=True)
class Arrays:
    """Examples in memory.

    Attributes:
        x: array, or tuple or dict of arrays, of N rows.
        y: labels, [N] or [N, ...].
        sample_weight: [N], or None.
    """

    x: Any
    y: np.ndarray
    sample_weight: np.ndarray | None = None

    @classmethod
    def of(cls, x: Any, y: Any, sample_weight: Any = None, end: str = "") -> "Arrays":
        """NumPy arrays, tensors and pandas' frames and series, as Keras takes them.

        A list of arrays becomes a tuple, and a series of inputs a column. Integer labels [N, 1]
        become [N].

        Args:
            x, y, sample_weight: see `Arrays`.
            end: of the names in messages: "" or "_meta".

        Raises:
            TypeError, ValueError: no labels, or lengths that differ.
        """
        if y is None:
            raise ValueError(f"y{end}: expected labels with the arrays x{end}, received none")
        if isinstance(x, list) and x and all(hasattr(part, "shape") for part in x):
            x = tuple(x)
        if not isinstance(x, list):
            x = keras.tree.map_structure(_inputs, x)
        y = _array(y)
        if y.ndim == 2 and y.shape[1] == 1 and y.dtype.kind in "iub":
            y = y[:, 0]
        return cls(x, y, None if sample_weight is None else _array(sample_weight))

    def split(self, share: float) -> tuple["Arrays", "Arrays"]:
        """The first rows, and the last ones, `share` of all.

        Raises:
            ValueError: one of the parts would be empty, or lengths that differ.
        """
        OPEN_UNIT.check("validation_split", share)
        weights = {} if self.sample_weight is None else {"sample_weight": self.sample_weight}
        for part in keras.tree.flatten(self.x):
            check_lengths(x=part, y=self.y, **weights)
        size = len(self.y)
        first = math.floor(size * (1.0 - share))
        if first in (0, size):
            raise ValueError(
                f"validation_split: expected a part of the {size} examples that leaves some on "
                f"either side, received {share}"
            )
        return self._rows(slice(first)), self._rows(slice(first, None))

    def _rows(self, rows: slice) -> "Arrays":
        weights = None if self.sample_weight is None else _taken(self.sample_weight, rows)
        return Arrays(_taken(self.x, rows), _taken(self.y, rows), weights)

    def as_validation_data(self) -> tuple[Any, ...]:
        """(inputs, labels), and the weights if there are any."""
        # Of text, Keras' `evaluate` takes tensors in any shape.
        x = keras.tree.map_structure(lambda p: tf.constant(p) if is_text(p) else p, self.x)
        return (x, self.y, *(() if self.sample_weight is None else (self.sample_weight,)))


def pairs_of_arrays(
    train: Arrays,
    meta: Arrays | None,
    batch_size: int | None,
    meta_batch_size: int | None,
    shuffle: bool,
    seed: int,
    devices: int,
) -> tf.data.Dataset:
    """`paired_dataset` of arrays, in batches as `fit` of Keras makes them.

    Args:
        train: the training set.
        meta: the meta set, or None.
        batch_size: B; None for 32. A set that is smaller is one batch.
        meta_batch_size: see `paired_dataset`.
        shuffle: whether each epoch has a new order.
        seed: of the orders.
        devices: that share a batch. A last batch that has no row for one of them is left out.

    Raises:
        TypeError, ValueError: see `paired_dataset`.
    """
    size = len(train.y)
    batch_size = check_count("batch_size", BATCH_SIZE if batch_size is None else batch_size)
    batch_size = min(batch_size, max(1, size))
    return paired_dataset(
        train.x,
        train.y,
        None if meta is None else meta.x,
        None if meta is None else meta.y,
        batch_size=batch_size,
        meta_batch_size=meta_batch_size,
        seed=seed,
        sample_weight=train.sample_weight,
        shuffle=bool(shuffle),
        drop_remainder=_leaves_one_without(size % batch_size, devices),
    )


def _leaves_one_without(rows: int, devices: int) -> bool:
    """Whether a device has none of the rows of a batch, which is cut into equal shares of rows."""
    return (devices - 1) * -(-rows // devices) >= rows


def _array(values: Any) -> np.ndarray:
    values = values.to_numpy() if hasattr(values, "to_numpy") else values
    return np.asarray(values)


def _inputs(values: Any) -> Any:
    if isinstance(values, ImageFiles):
        return values
    is_series = hasattr(values, "to_numpy") and np.ndim(values) == 1
    values = _array(values)
    return values[:, np.newaxis] if is_series else values


def _taken(structure: Any, rows: slice) -> Any:
    return keras.tree.map_structure(lambda part: part[rows], structure)
