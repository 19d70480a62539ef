"""What devices tell each other in one step: the table of docs/scaling.md, counted."""

import numpy as np
import pytest
import tensorflow as tf

from tests.training import law

SCALAR = 4  # bytes
# Of the MLP of the law: all variables, its last layer, the 1-100-1 weight net, the remembered ids.
P, Q, THETA = 4 * (5 * 7 + 7 + 7 * 3 + 3), 4 * (7 * 3 + 3), 4 * (100 + 100 + 100 + 1)
N = law.STEPS * law.CASES["L2RW"][2]
# Sums of more than a scalar, in their order, and how many scalars are summed besides.
EXPECTED = {
    "cross-entropy": ([P], 1),
    "MW-Net, exact, mean": ([P, P, THETA, P], 3),
    "MW-Net, exact, sum": ([P, P, THETA, P], 4),
    "MW-Net, head, mean": ([Q, Q, THETA, P], 3),
    "L2RW": ([P, 2 * SCALAR * N, P], 4),
}


def num_bytes(value):
    part = value.values[0] if isinstance(value, tf.distribute.DistributedValues) else value
    return int(np.prod(part.shape)) * part.dtype.size


@pytest.fixture
def sums(mirrored, monkeypatch):
    """The bytes of each tensor of every sum over devices, in the order in which they are traced."""
    found = []
    operations = mirrored.extended._cross_device_ops
    whole = operations.batch_reduce

    def batch_reduce(reduce_op, pairs, options=None):
        found.append([num_bytes(value) for value, _ in pairs])
        return whole(reduce_op, pairs, options)

    monkeypatch.setattr(operations, "batch_reduce", batch_reduce)
    return found


def summed_by_a_step(name, strategy, sums):
    """The bytes of every tensor that a step sums, without those of the logs."""
    dataset = law.stream(name)[0]
    with strategy.scope():
        model = law.compiled(name)
        model.fit(dataset, epochs=1, steps_per_epoch=1, shuffle=False, verbose=0)
    *step, logs = sums
    assert set(logs) == {SCALAR}
    return step


@pytest.mark.parametrize("name", EXPECTED)
def test_sums_of_a_step_are_those_of_the_table(name, mirrored, sums):
    step = summed_by_a_step(name, mirrored, sums)
    scalars = [tensors for tensors in step if set(tensors) == {SCALAR}]
    large = [sum(tensors) for tensors in step if tensors not in scalars]
    assert (large, sum(map(len, scalars))) == EXPECTED[name]


def test_a_synchronised_batch_norm_sums_three_times_forward_and_twice_in_reverse(mirrored, sums):
    step = summed_by_a_step("MW-Net, synchronised batch norm", mirrored, sums)
    channels = [4 * 7]
    # Two forward passes: of the training and of the meta batch. Four in reverse: the virtual, the
    # meta and the actual gradient, and the derivative along the meta gradient.
    assert step.count(channels) == 2 * 3 + 4 * 2
