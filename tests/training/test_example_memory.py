"""What an objective remembers of each example, by hand and on two devices."""

import numpy as np
import pytest
import tensorflow as tf

from tf_mwn.engine.objective import TrainingBatch, TrainingObjective
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.training.example_memory import ExampleMemory


def memory():
    """A memory of four examples, and a variable with a vector of two values for each."""
    found = ExampleMemory(TrainingObjective(), 4)
    return found, found.add("vectors", 0.0, (2,))


def batch(ids):
    return TrainingBatch(tf.zeros(len(ids)), cross_entropy, tf.constant(ids))


def test_averages_move_where_the_batch_is_and_take_the_mean_of_an_id_that_occurs_twice():
    remembered, vectors = memory()
    values = tf.constant([[8.0, 4.0], [2.0, 6.0], [4.0, 0.0]])
    remembered.average(vectors, values, 0.5, batch([3, 1, 3]))
    np.testing.assert_array_equal(vectors, [[0, 0], [1, 3], [0, 0], [3, 1]])
    remembered.average(vectors, values[:1], 0.25, batch([1]))
    np.testing.assert_array_equal(vectors, [[0, 0], [2.75, 3.25], [0, 0], [3, 1]])
    np.testing.assert_array_equal(remembered.of(vectors, batch([3, 0])), [[3, 1], [0, 0]])


def test_averages_are_alike_on_devices_with_uneven_shares(mirrored):
    """The same values as above; the id that occurs twice is on both devices."""
    values, ids = tf.constant([[8.0, 4.0], [2.0, 6.0], [4.0, 0.0]]), tf.constant([3, 1, 3])
    with mirrored.scope():
        remembered, vectors = memory()

    def update():
        first = 2 * tf.distribute.get_replica_context().replica_id_in_sync_group
        own = slice(first, first + 2)
        given = TrainingBatch(tf.zeros_like(ids[own]), cross_entropy, ids[own])
        remembered.average(vectors, values[own], 0.5, given)

    tf.function(lambda: mirrored.run(update))()
    for copy in mirrored.experimental_local_results(vectors.value):
        np.testing.assert_array_equal(copy, [[0, 0], [1, 3], [0, 0], [3, 1]])


def test_examples_without_ids_are_refused():
    remembered, vectors = memory()
    nameless = TrainingBatch(tf.zeros(1), cross_entropy)
    with pytest.raises(ValueError, match="sample_id: expected the ids .*, received none"):
        remembered.average(vectors, tf.zeros((1, 2)), 0.5, nameless)
