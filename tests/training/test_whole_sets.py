"""Whole sets: every example once, in order."""

import numpy as np
import pytest

import tf_mwn
from tests.training.small_classifier import X, Y, classifier
from tf_mwn.training.cross_entropy import CrossEntropy
from tf_mwn.training.whole_sets import WholeSets, logits_of


def test_whole_sets_give_every_example_once_in_order():
    ids = np.arange(40)[::-1] * 2
    sets = WholeSets.from_arrays(X, Y, X[:7], Y[:7], sample_id=ids, batch_size=16)
    net = classifier()
    logits, labels, found = logits_of(net, sets.train)
    np.testing.assert_allclose(logits, net(X), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(labels, Y)
    np.testing.assert_array_equal(found, ids)
    logits, labels, found = logits_of(net, sets.meta)
    assert found is None and len(logits) == len(labels) == 7


def test_a_missing_whole_set_is_one_sentence():
    class Looks(CrossEntropy):
        needs_whole_sets = True

    model = Looks(classifier())
    model.compile("sgd")
    stream = tf_mwn.paired_dataset(X, Y, None, None, batch_size=20).take(2)  # of unknown arrays
    with pytest.raises(ValueError, match="tf_mwn.WholeSets.from_arrays.*which Looks reads"):
        model.fit(stream, verbose=0)
    assert tf_mwn.WholeSets is WholeSets
