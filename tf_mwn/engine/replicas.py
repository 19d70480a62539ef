"""Sums over replicas, as plain functions that are the identity on one device."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_mwn.tensors import Inputs, Logits, Tensor


def all_reduce_sum(value: Any) -> Any:
    """Sums `value` (a tensor or a structure of tensors) over the replicas in sync.

    Differentiable: the gradient of a sum over replicas is again a sum over replicas. On one
    device, or outside a strategy, `value` comes back unchanged, but dense.
    """
    # The gradient of an embedding is `IndexedSlices`.
    value = tf.nest.map_structure(tf.convert_to_tensor, value)
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return value
    return context.all_reduce(tf.distribute.ReduceOp.SUM, value)


def all_gather(value: Tensor) -> Tensor:
    """The values [B, ...] of all replicas in one tensor, the same on each; not differentiable.

    In the order of the replicas, whose batches may differ in length.
    """
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return value
    return context.all_gather(tf.stop_gradient(value), axis=0)


def own_rows(gathered: Tensor, size: Tensor) -> Tensor:
    """This replica's rows, as many as its batch has, of a tensor ordered like `all_gather`'s."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return gathered
    first = first_row(size)
    return gathered[first : first + size]


def first_row(size: Tensor) -> Tensor | int:
    """The number, in the global batch, of the first row of this replica's batch of `size` rows.

    On one device it is the number 0, so that shapes stay known.
    """
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return 0
    sizes = all_gather(tf.reshape(size, [1]))
    return tf.reduce_sum(sizes[: context.replica_id_in_sync_group])


def num_replicas() -> int:
    """Number of replicas that step together; 1 without a strategy."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def state(
    owner: keras.layers.Layer,
    name: str,
    shape: Sequence[int | None] = (),
    initializer: str | keras.initializers.Initializer = "zeros",
    dtype: str | None = None,
) -> keras.Variable:
    """A variable of `owner` that no optimizer trains, and that all replicas hold alike.

    Replicas must assign equal values: those of the first are the ones that are kept.
    """
    return owner.add_weight(
        name=name,
        shape=tuple(shape),
        initializer=initializer,
        dtype=dtype,
        trainable=False,
        aggregation="only_first_replica",
    )


def logits_of_share(classifier: Callable[[Inputs], Logits], inputs: Inputs) -> Logits:
    """Logits [B, C] of this replica's inputs [B, ...], a tensor or a structure; B may be 0.

    The last batch of a set, or a part of any, may have fewer examples than there are replicas, and
    kernels for CPUs fail on an empty batch: an example of zeros stands in.
    """
    first = tf.convert_to_tensor(tf.nest.flatten(inputs)[0])
    if num_replicas() == 1 or first.shape[0]:
        return classifier(inputs)
    size = tf.shape(first)[0]
    missing = tf.maximum(1 - size, 0)

    def padded(x: Tensor) -> Tensor:
        return tf.pad(x, [[0, missing]] + [[0, 0]] * (x.shape.rank - 1))

    return classifier(tf.nest.map_structure(padded, inputs))[:size]


def global_mean(per_example: Tensor) -> Tensor:
    """This replica's share of the mean of `per_example` [B] over the global batch.

    The shares of all replicas add up to the mean, which is what optimizers expect: they sum
    gradients over replicas.
    """
    size = all_reduce_sum(tf.cast(tf.shape(per_example)[0], per_example.dtype))
    return tf.reduce_sum(per_example) / size
