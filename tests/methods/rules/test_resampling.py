"""Resampling: balanced classes, and streams of the rows that it leaves."""

import dataclasses

import numpy as np
import pytest

from tf_mwn.data.splits.biased_data import BiasedData
from tf_mwn.data.subset import Subset
from tf_mwn.methods import registry
from tf_mwn.methods.rules.resampling import balanced_rows, resampled_rows
from tf_mwn.runs import datasets, streams
from tf_mwn.settings.config import Config


@pytest.mark.parametrize("kind", ["over", "under"])
def test_resampling_balances_the_classes(kind):
    labels = np.repeat([0, 1, 2, 3], [500, 60, 20, 5])
    rows = resampled_rows(labels, kind, np.random.default_rng(0))
    counts = np.bincount(labels[rows])
    if kind == "under":
        np.testing.assert_array_equal(counts, [5, 5, 5, 5])
        assert len(np.unique(rows)) == len(rows)
        return
    assert len(rows) == len(labels) and counts.max() - counts.min() <= 1
    times = np.bincount(rows, minlength=len(labels))
    for c in range(4):
        own = times[labels == c]
        assert own.max() - own.min() <= 1


def test_every_class_has_as_many_rows_and_every_example_its_share():
    labels = np.repeat([0, 2, 3], [7, 3, 1])
    rows = balanced_rows(labels, 7, np.random.default_rng(0))
    assert len(rows) == 21
    times = np.bincount(rows, minlength=11)
    assert times[:7].tolist() == [1] * 7 and times[10] == 7
    assert sorted(times[7:10].tolist()) == [2, 2, 3]


def test_over_sampling_of_balanced_classes_keeps_every_example():
    rows = resampled_rows(np.arange(60) % 3, "over", np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(rows), np.arange(60))


def test_resampling_follows_its_generator_and_refuses_other_kinds():
    labels = np.repeat([0, 1], [50, 5])
    draws = [resampled_rows(labels, "under", np.random.default_rng(s)) for s in (1, 1, 2)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])
    with pytest.raises(ValueError, match="expected one of over, under, received 'smote'"):
        resampled_rows(labels, "smote", np.random.default_rng(0))


def biased(counts, features=5):
    labels = np.repeat(np.arange(len(counts)), counts)
    x = np.arange(len(labels) * features, dtype="float32").reshape(-1, features)
    train = Subset(x, labels, None, 100 + 3 * np.arange(len(labels)))
    one = np.ones(features, "float32")
    return BiasedData(train, None, None, None, len(counts), 0 * one, one, {})


@pytest.mark.parametrize("kind", ["over", "under"])
def test_resampling_repeats_examples_with_their_own_ids_and_resumes(kind):
    row, data = registry.find("resampling"), biased([60, 12, 8])
    config = Config(batch_size=8, resampling_kind=kind)
    steps = streams.steps_per_epoch(config, row, data)
    assert steps == {"over": 80, "under": 24}[kind] // 8
    stream = streams.build_stream(config, row, data, seed=1, start_epoch=0)
    batches = [(e["sample_id"].numpy(), e["inputs"].numpy(), y.numpy()) for e, y in stream.take(20)]
    for ids, inputs, labels in batches:
        rows = (ids - 100) // 3
        np.testing.assert_array_equal(inputs, data.train.x[rows])
        np.testing.assert_array_equal(labels, data.train.label[rows])
    seen = np.concatenate([labels for _, _, labels in batches[:steps]])
    assert np.ptp(np.bincount(seen)) <= 1
    later = streams.build_stream(config, row, data, seed=1, start_epoch=2)
    for (ids, _, _), (element, _) in zip(batches[2 * steps :], later.take(20), strict=False):
        np.testing.assert_array_equal(element["sample_id"], ids)


@pytest.mark.parametrize("sampling", ["uniform", "by_class"])
def test_meta_batches_are_drawn_as_asked(sampling):
    """Of 8, 4 and 1 clean examples: over as many draws as a pass takes."""
    data = biased([60, 12, 8])
    clean = Subset(
        np.ones((13, 5), "float32"), np.repeat([0, 1, 2], [8, 4, 1]), None, np.arange(13)
    )
    data = dataclasses.replace(data, meta=clean)
    row = registry.find("meta_weight_net")
    config = Config(batch_size=8, meta_batch_size=3, meta_sampling=sampling)
    stream = streams.build_stream(config, row, data, seed=0, start_epoch=0)
    size = {"uniform": 13, "by_class": 24}[sampling]
    drawn = np.concatenate([e["meta_labels"].numpy() for e, _ in stream.take(size)])
    expected = {"uniform": [8, 4, 1], "by_class": [8, 8, 8]}[sampling]
    np.testing.assert_array_equal(np.bincount(drawn), 3 * np.array(expected))
    last = streams.fine_tuning_stream(config, clean, data, seed=0)
    labels = np.concatenate([y.numpy() for _, y in last.take(size // 3)])
    counts = np.bincount(labels, minlength=3)
    assert (np.ptp(counts) == 0) == (sampling == "by_class")


def test_a_batch_larger_than_what_resampling_leaves_is_one_sentence():
    row, data = registry.find("resampling"), biased([60, 12, 2])
    config = Config(batch_size=10, resampling_kind="under")
    with pytest.raises(ValueError, match="at most the 6 training images that resampling leaves"):
        datasets.check_sizes(config, data, [row])
