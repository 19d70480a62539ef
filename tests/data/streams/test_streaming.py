"""Images that are decoded batch by batch: the same batches as from memory, in every stream."""

import numpy as np
import pytest
import tensorflow as tf

from tests.data.images.image_fixtures import save_folder
from tf_mwn.data.images.files import ImageFiles
from tf_mwn.data.sources import loading
from tf_mwn.data.sources.location import DataLocation
from tf_mwn.data.splits import biased_data
from tf_mwn.data.streams import pipeline
from tf_mwn.data.streams.augment import crop_and_flip, standardise


def _take(dataset, count):
    return [tf.nest.map_structure(np.copy, e) for e in dataset.take(count).as_numpy_iterator()]


def _assert_equal(got, want):
    tf.nest.map_structure(np.testing.assert_array_equal, got, want)


def test_parts_are_the_same_images(both):
    memory, files = both
    for name in ("train", "meta", "validation", "test"):
        one, other = getattr(memory, name), getattr(files, name)
        assert isinstance(other.x, ImageFiles) and other.x.shape == one.x.shape
        np.testing.assert_array_equal(np.asarray(other.x), one.x)
        for field in ("label", "sample_id"):
            np.testing.assert_array_equal(getattr(one, field), getattr(other, field))
    np.testing.assert_array_equal(memory.mean, files.mean)
    assert files.card["streamed"] and not memory.card["streamed"]
    assert files.card["input_shape"] == memory.card["input_shape"] == [8, 8, 3]


def _stream(data, start=0, **options):
    return pipeline.training_stream(data.train, data.meta, 6, 4, 3, start_epoch=start, **options)


def test_training_stream_is_that_of_memory_and_resumes(both):
    options = dict(preprocess=standardise([120.0] * 3, [60.0] * 3), augment=crop_and_flip)
    memory, files = (_stream(data, **options) for data in both)
    assert memory.element_spec == files.element_spec
    whole = _take(files, 14)
    _assert_equal(whole, _take(memory, 14))
    steps = pipeline.steps_per_epoch(len(both[1].train), 6)
    _assert_equal(_take(_stream(both[1], 1, **options), 14 - steps), whole[steps:])


def test_evaluation_and_paired_streams_are_those_of_memory(both):
    parts = [
        _take(pipeline.evaluation_dataset(data.test.x, data.test.label, 4), 9) for data in both
    ]
    assert [len(label) for _, label in parts[1]] == [4, 3]
    _assert_equal(*parts)
    pairs = [
        _take(
            pipeline.paired_dataset(
                d.train.x, d.train.label, d.meta.x, d.meta.label, 6, sample_id=d.train.sample_id
            ),
            9,
        )
        for d in both
    ]
    _assert_equal(*pairs)


def test_deterministic_operations_do_not_change_the_batches(both):
    want = _take(_stream(both[1]), 6)
    options = tf.data.Options()
    options.deterministic = True
    _assert_equal(_take(_stream(both[1]).with_options(options), 6), want)


def test_each_replica_gets_its_half(both, mirrored):
    distributed = iter(mirrored.experimental_distribute_dataset(_stream(both[1])))
    for whole in _take(_stream(both[1]), 2):
        leaves = zip(tf.nest.flatten(next(distributed)), tf.nest.flatten(whole), strict=True)
        for per_replica, together in leaves:
            parts = mirrored.experimental_local_results(per_replica)
            np.testing.assert_array_equal(np.concatenate(parts), together)


def test_a_file_that_breaks_later_stops_the_stream_with_its_name(folder, tmp_path):
    import shutil

    shutil.copytree(folder, tmp_path / "data")
    source = loading.load(
        str(tmp_path / "data"), DataLocation(cache_dir=str(tmp_path / "cache")), stream="on"
    )
    data = biased_data.prepare(source, biased_data.BiasSettings(meta_size=6), 0)
    for path in data.train.x.paths:
        open(path, "wb").close()
    with pytest.raises(tf.errors.OpError, match="expected an image, received .*png"):
        _take(_stream(data), 1)


def test_streamed_sets_take_open_sets_and_refuse_what_needs_pixels(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("TF_MWN_CACHE", str(tmp_path))
    source = loading.load(str(folder), stream="on")
    save_folder(tmp_path / "other", np.full((60, 9, 9, 3), 255, np.uint8))
    other = loading.load(str(tmp_path / "other"), stream="on")
    settings = biased_data.BiasSettings(meta_size=6, open_set="other", open_set_rate=0.5)
    data = biased_data.prepare(source, settings, 0, other)
    white = np.asarray(data.train.x).min(axis=(1, 2, 3)) == 255
    np.testing.assert_array_equal(white, data.train.altered == 1)
    for changes, message in (
        (dict(noise="instance", noise_rate=0.3), "whose images are streamed"),
        (dict(data_noise="gaussian", data_noise_rate=0.3), "whose images are streamed"),
    ):
        with pytest.raises(ValueError, match=message):
            biased_data.prepare(source, biased_data.BiasSettings(meta_size=6, **changes), 0)
    memory = loading.load(str(tmp_path / "other"))
    with pytest.raises(ValueError, match="image files to go among streamed images"):
        biased_data.prepare(source, settings, 0, memory)
