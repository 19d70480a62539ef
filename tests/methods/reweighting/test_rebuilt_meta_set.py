"""Meta sets that are found among the training examples."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.methods.reweighting.class_aware_problem import COUNTS, X, Y, compiled, fit
from tests.models import mlp, subclassed, two_inputs
from tf_mwn import CMWNet
from tf_mwn.losses.cross_entropy import cross_entropy


def pool(model):
    """Rows of the training set in the rebuilt meta set, and its labels."""
    by_value = {tuple(row): i for i, row in enumerate(X)}
    inputs, labels = (np.array(v) for v in (model.rebuilt._inputs, model.rebuilt._labels))
    return np.array([by_value[tuple(row)] for row in inputs]), labels


def test_low_loss_takes_the_lowest_losses_of_the_average_per_given_class():
    model = compiled(CMWNet(mlp(), COUNTS, 3, cmw_meta_per_class=4, cmw_ema=0.0))
    fit(model, 2)
    model.begin_epoch()
    # Two whole sets seen, and the average traced for whole batches and for the last one at most.
    assert model.average.compiled.experimental_get_tracing_count() <= 2
    rows, labels = pool(model)
    # Without memory the average is the classifier.
    losses = cross_entropy(Y, model.classifier(X)).numpy()
    for c in range(3):
        members = np.flatnonzero(c == Y)
        lowest = members[np.argsort(losses[members])[:4]]
        np.testing.assert_array_equal(rows[labels == c], np.sort(lowest))


def test_balanced_takes_as_many_of_each_class_and_others_each_epoch():
    model = compiled(CMWNet(mlp(), COUNTS, 3, cmw_meta_set="balanced", cmw_warmup=0.0, seed=5))
    assert model.average is None and model.rebuilt.size == 30
    seen = []
    for _ in range(2):
        model.begin_epoch()
        seen.append(pool(model)[0])
        model.end_epoch()
    for rows in seen:
        np.testing.assert_array_equal(Y[rows], np.repeat([0, 1, 2], 10))
        assert len(set(rows)) == 30
    assert set(seen[0]) != set(seen[1])
    again = compiled(CMWNet(mlp(), COUNTS, 3, cmw_meta_set="balanced", cmw_warmup=0.0, seed=5))
    again.begin_epoch()
    np.testing.assert_array_equal(pool(again)[0], seen[0])


def test_balanced_is_capped_by_the_option_and_by_the_smallest_class():
    for per_class, expected in ((3, 9), (50, 30)):
        model = CMWNet(mlp(), COUNTS, 3, cmw_meta_set="balanced", cmw_meta_per_class=per_class)
        assert model.rebuilt.size == expected


def test_fewer_examples_than_wanted_are_repeated_and_absent_classes_left_out():
    counts = [30, 0, 3]
    y = np.repeat([0, 2], [57, 3])
    model = compiled(CMWNet(mlp(), counts, 3, cmw_warmup=0.0), (X, y))
    model.begin_epoch()
    rows, labels = pool(model)
    assert set(labels) == {0, 2} and len(rows) == 20
    assert sorted(np.bincount(rows[labels == 2])[57:]) == [3, 3, 4]


def test_a_class_that_is_not_there_is_one_sentence():
    model = compiled(CMWNet(mlp(), COUNTS, 3, cmw_warmup=0.0), (X, np.zeros(60, int)))
    with pytest.raises(ValueError, match="whole_sets: expected training examples of class 1"):
        model.begin_epoch()


def test_meta_batches_are_drawn_without_replacement_by_seed_and_step():
    model = compiled(CMWNet(mlp(), COUNTS, 3, cmw_warmup=0.0, meta_batch_size=7))
    model.begin_epoch()
    draws = [model.rebuilt.draw(tf.constant(step), tf.zeros(20, tf.int32)) for step in (0, 1, 0)]
    sets = [{tuple(row) for row in draw["meta_inputs"].numpy()} for draw in draws]
    assert [len(rows) for rows in sets] == [7, 7, 7]
    assert sets[0] == sets[2] != sets[1]
    one_hot = model.rebuilt.draw(tf.constant(0), tf.zeros((20, 3)))["meta_labels"]
    np.testing.assert_array_equal(tf.argmax(one_hot, axis=1), draws[0]["meta_labels"])


def test_replicas_share_the_meta_batch(mirrored):
    with mirrored.scope():
        model = compiled(CMWNet(mlp(), COUNTS, 3, cmw_warmup=0.0))
    model.begin_epoch()
    draw = tf.function(lambda: model.rebuilt.draw(tf.constant(4), tf.zeros(5, tf.int32)))
    parts = mirrored.experimental_local_results(mirrored.run(draw))
    alone = compiled(CMWNet(mlp(), COUNTS, 3, cmw_warmup=0.0))
    alone.rebuilt._inputs.assign(model.rebuilt._inputs)
    whole = alone.rebuilt.draw(tf.constant(4), tf.zeros(10, tf.int32))["meta_inputs"].numpy()
    assert [len(part["meta_inputs"]) for part in parts] == [5, 5]
    for r, part in enumerate(parts):
        np.testing.assert_array_equal(part["meta_inputs"], whole[r::2])


def test_what_the_found_meta_set_cannot_hold_is_one_sentence():
    with pytest.raises(ValueError, match="one input array of known shape.*cmw_meta_set='given'"):
        CMWNet(two_inputs(), COUNTS, 3)
    with pytest.raises(ValueError, match="one input array of known shape"):
        CMWNet(
            keras.Sequential(
                [keras.Input((None, 2)), keras.layers.GlobalMaxPooling1D(), keras.layers.Dense(3)]
            ),
            COUNTS,
            3,
        )
    CMWNet(two_inputs(), COUNTS, 3, cmw_meta_set="given")
    assert CMWNet(subclassed(), COUNTS, 3).rebuilt._inputs.shape == (30, 5)
