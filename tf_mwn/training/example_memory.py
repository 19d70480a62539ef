"""Per-example state of an objective, by `sample_id`."""

import keras
import tensorflow as tf

from tf_mwn.checks import check_count
from tf_mwn.engine.objective import TrainingBatch
from tf_mwn.engine.replicas import all_gather, all_reduce_sum, state
from tf_mwn.tensors import Tensor


class ExampleMemory:
    """Values of each training example, as non-trainable state of an objective.

    The state is saved and checkpointed with the objective. Replicas add up their updates, so that
    all hold equal values. A step costs O(N), or O(N C) for vectors of C values. The owner's
    `keeps_history` becomes True.

    Args:
        owner: the objective.
        num_sample_ids: N; the `sample_id` of a batch is in [0, N).
    """

    def __init__(self, owner: keras.layers.Layer, num_sample_ids: int):
        self._owner = owner
        owner.keeps_history = True
        self.size = check_count("num_sample_ids", num_sample_ids)

    def add(self, name: str, initial: float, shape: tuple[int, ...] = ()) -> keras.Variable:
        """A new variable with one value, or values of `shape`, per example: [N, *shape]."""
        return state(self._owner, name, (self.size, *shape), keras.initializers.Constant(initial))

    def spread(self, values: Tensor, batch: TrainingBatch) -> tuple[Tensor, Tensor]:
        """Scatters values [B] of the batch's examples into vectors [N].

        Returns:
            The values [N]: 0 for other examples, the mean for an id that occurs twice. And [N]
            with 1 for the examples of the batch, 0 for others.
        """
        rows = _ids(batch)[:, tf.newaxis]
        ones = tf.ones_like(values)
        total, count = all_reduce_sum(
            tuple(tf.scatter_nd(rows, v, [self.size]) for v in (values, ones))
        )
        return tf.math.divide_no_nan(total, count), tf.minimum(count, 1)

    def average(
        self, variable: keras.Variable, values: Tensor, rate: float, batch: TrainingBatch
    ) -> None:
        """v ← v + rate · (value - v) in a variable [N, C], for the batch's examples.

        Args:
            variable: of `add`.
            values: [B, C]; an id that occurs twice takes the mean of its values.
            rate: in [0, 1].
            batch: with `sample_id` [B].
        """
        old = tf.convert_to_tensor(variable)
        ids, values = all_gather(_ids(batch)), all_gather(tf.cast(values, old.dtype))
        times = tf.math.count_nonzero(ids[:, tf.newaxis] == ids, axis=1, dtype=old.dtype)
        change = rate * (values - tf.gather(old, ids)) / times[:, tf.newaxis]
        variable.assign(tf.tensor_scatter_nd_add(old, ids[:, tf.newaxis], change))

    def of(self, values: Tensor, batch: TrainingBatch) -> Tensor:
        """The entries [B, ...] of `values` [N, ...] that belong to the batch's examples."""
        return tf.gather(tf.convert_to_tensor(values), _ids(batch))


def _ids(batch: TrainingBatch) -> Tensor:
    if batch.sample_id is None:
        raise ValueError("sample_id: expected the ids of the examples, received none")
    return tf.cast(batch.sample_id, tf.int64)
