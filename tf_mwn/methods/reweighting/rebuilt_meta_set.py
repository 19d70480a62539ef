"""A meta set that is chosen anew from the training set before every epoch."""

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.engine.replicas import all_reduce_sum, num_replicas, state
from tf_mwn.messages import long_step
from tf_mwn.training.random_draws import random_bits


class RebuiltMetaSet:
    """m training examples of each class that occurs, as state of the model.

    Args:
        owner: the model.
        classifier: a model with one input array of known shape.
        class_counts: [C] training examples per given class.
        per_class: m.
        batch_size: of the meta batches. None for the size of the training batch, or of the meta
            set if that is smaller.
        seed: the meta batches are a function of (seed, step).

    Attributes:
        size: m times the number of classes that occur.

    Raises:
        ValueError: several inputs, an input of unknown shape, or a batch larger than the set.
    """

    def __init__(
        self,
        owner: keras.Model,
        classifier: keras.Model,
        class_counts: Sequence[float],
        per_class: int,
        batch_size: int | None,
        seed: int,
    ):
        self._classes = np.flatnonzero(class_counts)
        self._num_classes = len(class_counts)
        self._per_class, self._seed, self._batch_size = per_class, seed, batch_size
        self.size = per_class * len(self._classes)
        if batch_size is not None and not 1 <= batch_size <= self.size:
            raise ValueError(
                f"meta_batch_size: expected at least 1 and at most the {self.size} examples of "
                f"the rebuilt meta set, received {batch_size}"
            )
        shape, dtype = _one_input(classifier)
        self._inputs = state(owner, "meta_pool_inputs", (self.size, *shape), dtype=dtype)
        self._labels = state(owner, "meta_pool_labels", (self.size,), dtype="int32")

    def rebuild(self, train: tf.data.Dataset, score: Callable) -> None:
        """Takes the m examples with the lowest scores of each class, repeated if there are fewer.

        Args:
            train: batches ({"inputs", "sample_id"}, labels), in the same order at every pass.
            score: function of `train` that returns labels [N] or [N, C] and scores [N], in its
                order.

        Raises:
            ValueError: an expected class does not occur.
        """
        with long_step("finding a meta set in the training set"):
            labels, scores = score(train)
            labels = labels.argmax(axis=1) if labels.ndim > 1 else labels
            rows = [self._best(labels, scores, c) for c in self._classes]
            self._inputs.assign(_rows_of(train, np.concatenate(rows)))
            self._labels.assign(np.repeat(self._classes, self._per_class).astype(np.int32))

    def _best(self, labels: np.ndarray, scores: np.ndarray, c: int) -> np.ndarray:
        members = np.flatnonzero(labels == c)
        if not len(members):
            raise ValueError(f"whole_sets: expected training examples of class {c}, received none")
        order = np.argsort(scores[members], kind="stable")[: self._per_class]
        # In the order of the set: a small change of the scores must not reorder the choice.
        return np.resize(np.sort(members[order]), self._per_class)

    def draw(
        self, step: tf.Tensor, training_labels: tf.Tensor, every: int = 1
    ) -> dict[str, tf.Tensor]:
        """This replica's share of the meta batch of one step, drawn without replacement.

        Args:
            step: integer scalar.
            training_labels: of this replica's training batch. The meta labels have the same form.
            every: k, if the meta update learns from every k-th training example.

        Returns:
            "meta_inputs" and "meta_labels", as training elements hold them.
        """
        size = self._batch_size
        if size is None:
            size = all_reduce_sum(tf.shape(training_labels)[0]) // every
            size = tf.clip_by_value(size, 1, self.size)
        order = tf.argsort(random_bits([self.size], self._seed, step, "meta batch"))
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        rows = order[:size][replica :: num_replicas()]
        labels = tf.gather(tf.convert_to_tensor(self._labels), rows)
        if training_labels.shape.rank == 2:
            labels = tf.one_hot(labels, self._num_classes, dtype=training_labels.dtype)
        inputs = tf.gather(tf.convert_to_tensor(self._inputs), rows)
        return {"meta_inputs": inputs, "meta_labels": labels}


def _one_input(classifier: keras.Model) -> tuple[tuple[int, ...], str]:
    """Shape (without the batch) and dtype of the classifier's input."""
    if getattr(classifier, "inputs", None):
        specs = [(tensor.shape, tensor.dtype) for tensor in classifier.inputs]
    else:  # a subclassed model
        shape = (classifier.get_build_config() or {}).get("input_shape")
        specs = [(shape, keras.config.floatx())]
    shape, dtype = specs[0]
    is_array = isinstance(shape, (tuple, list)) and None not in shape[1:]
    if len(specs) != 1 or not is_array or any(isinstance(size, (tuple, list)) for size in shape):
        raise ValueError(
            "classifier: expected one input array of known shape, for a meta set chosen from the "
            f"training set, received inputs of shape {[spec[0] for spec in specs]}; "
            "cmw_meta_set='given' takes any inputs"
        )
    return tuple(shape[1:]), dtype


def _rows_of(train: tf.data.Dataset, rows: np.ndarray) -> np.ndarray:
    """The inputs [len(rows), ...] at `rows` of a set, in one pass."""
    found, start = {}, 0
    for features, _ in train:
        inputs = features["inputs"].numpy()
        for row in rows[(rows >= start) & (rows < start + len(inputs))]:
            found[row] = inputs[row - start]
        start += len(inputs)
    return np.stack([found[row] for row in rows])
