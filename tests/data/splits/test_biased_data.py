"""Biased data: splits, the order of the biases, the card, and settings that are refused."""

import dataclasses
import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from tf_mwn.data.sources.source import RawSource, build_source
from tf_mwn.data.splits import biased_data, card
from tf_mwn.data.statistics import fingerprint, mean_and_std


def _source(per_class=40, num_classes=4, **changes):
    y = np.arange(per_class * num_classes) % num_classes
    x = np.arange(len(y) * 2.0).reshape(-1, 2)
    raw = RawSource("toy", x, y, x_test=x[:8] + 0.5, y_test=y[:8])
    return build_source(dataclasses.replace(raw, **changes))


def _prepare(source=None, seed=0, **settings):
    settings = {"meta_size": 8, **settings}
    return biased_data.prepare(source or _source(), biased_data.BiasSettings(**settings), seed)


def _ids(data):
    parts = (data.train, data.meta, data.validation)
    return [None if part is None else part.sample_id.tolist() for part in parts]


def test_parts_are_disjoint_complete_and_keep_their_inputs():
    data = _prepare(validation_size=20, noise="uniform", noise_rate=0.4)
    together = np.concatenate([ids for ids in _ids(data)])
    np.testing.assert_array_equal(np.sort(together), np.arange(160))
    for part in (data.train, data.meta, data.validation):
        np.testing.assert_array_equal(part.x[:, 0], 2 * part.sample_id)
        np.testing.assert_array_equal(part.clean_label, part.sample_id % 4)
    assert len(data.test) == 8 and not np.intersect1d(data.test.sample_id, together).size


def test_meta_and_test_labels_stay_clean_and_balanced():
    data = _prepare(noise="symmetric", noise_rate=1.0, meta_size=10)
    np.testing.assert_array_equal(data.meta.label, data.meta.clean_label)
    np.testing.assert_array_equal(data.test.label, data.test.clean_label)
    assert np.bincount(data.meta.label).tolist() == [3, 3, 2, 2]
    assert np.all(data.train.label != data.train.clean_label)


def test_same_seed_same_data_and_noise_leaves_the_split_alone():
    one = _prepare(validation_size=20)
    assert one.card == _prepare(validation_size=20).card
    noisy = _prepare(validation_size=20, noise="flip", noise_rate=0.4)
    assert _ids(noisy) == _ids(one)
    assert _ids(_prepare(validation_size=20, seed=1)) != _ids(one)


def test_validation_has_the_noise_of_training_unless_it_is_clean():
    noisy = _prepare(validation_size=60, noise="symmetric", noise_rate=1.0).validation
    assert np.all(noisy.label != noisy.clean_label)
    clean = _prepare(
        validation_size=60, validation_labels="clean", noise="symmetric", noise_rate=1.0
    ).validation
    np.testing.assert_array_equal(clean.label, clean.clean_label)
    np.testing.assert_array_equal(clean.sample_id, noisy.sample_id)


def test_imbalance_counts_start_from_the_smallest_class():
    data = _prepare(imbalance_factor=8.0)  # 40 - 2 left of each class
    assert np.bincount(data.train.clean_label).tolist() == [38, 19, 9, 4]
    assert data.card["imbalance"]["realised_factor"] == 38 / 4
    data = _prepare(imbalance_factor=19.0, imbalance="step", train_size=120)
    assert np.bincount(data.train.clean_label).tolist() == [30, 30, 1, 1]


def test_train_size_is_stratified():
    data = _prepare(train_size=40)
    assert np.bincount(data.train.label).tolist() == [10] * 4


def test_noise_of_the_source_is_kept():
    given = (np.arange(160) + (np.arange(160) < 40)) % 4
    data = _prepare(_source(y_given=given))
    np.testing.assert_array_equal(data.train.label, given[data.train.sample_id])
    np.testing.assert_array_equal(data.meta.label, data.meta.sample_id % 4)
    noise = data.card["noise"]
    assert noise["kind"] == "of the source" and noise["nominal_rate"] is None
    assert noise["realised_rate"] == np.mean(data.train.sample_id < 40)


def test_labels_of_a_file_replace_noise(tmp_path):
    labels = (np.arange(160) + 1) % 4
    np.save(tmp_path / "labels.npy", labels)
    data = _prepare(label_file=str(tmp_path / "labels.npy"))
    assert data.card["noise"]["realised_rate"] == 1.0 and data.card["noise"]["kind"] == "label file"
    np.testing.assert_array_equal(data.meta.label, data.meta.clean_label)


def test_unknown_clean_labels_are_said_to_be_so():
    source = _source(clean_known=False)
    data = _prepare(source)
    assert data.train.clean_label is None and data.card["noise"]["realised_matrix"] is None
    assert "not known" in card.format_card(data.card)
    data = _prepare(source, noise="uniform", noise_rate=0.4)
    assert data.card["clean_labels"] == "assumed" and data.card["noise"]["realised_rate"] > 0


def test_card_is_json_and_fits_a_terminal():
    data = _prepare(
        _source(60, 10), meta_size=20, noise="flip2", noise_rate=0.4, validation_size=50
    )
    assert json.loads(json.dumps(data.card, allow_nan=False)) == data.card
    text = card.format_card(data.card)
    assert len(text.splitlines()) <= 25 and max(map(len, text.splitlines())) <= 100
    assert "nominal rate 0.4, realised 0." in text
    many = _prepare(_source(4, 20), meta_size=20, noise="flip", noise_rate=0.4)
    assert len(card.format_card(many.card).splitlines()) < 10


def test_card_by_hand():
    got = _prepare(validation_size=16, noise="symmetric", noise_rate=1.0).card
    assert got["sizes"] == {"train": 136, "meta": 8, "validation": 16, "test": 8}
    assert got["meta_per_class"] == [2, 2, 2, 2] and got["noise"]["realised_rate"] == 1.0
    assert np.diag(got["noise"]["realised_matrix"]).tolist() == [0] * 4
    np.testing.assert_allclose(got["noise"]["nominal_matrix"][0], [0] + [1 / 3] * 3, atol=1e-6)


def test_statistics_of_training_inputs_agree_with_numpy():
    data = _prepare()
    np.testing.assert_allclose(data.mean, data.train.x.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(data.std, data.train.x.std(axis=0), rtol=1e-6)
    images = np.random.default_rng(0).integers(0, 256, (9000, 2, 3, 2)).astype(np.uint8)
    images[..., 1] = 7
    mean, std = mean_and_std(images)
    np.testing.assert_allclose(mean, images.mean(axis=(0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(std, [images[..., 0].std(), 1.0], rtol=1e-6)


def test_published_statistics_win():
    source = dataclasses.replace(_source(), mean=np.array([1.0, 2.0]), std=np.array([3.0, 4.0]))
    assert _prepare(source).mean.tolist() == [1.0, 2.0]


def test_fingerprint_sees_values_types_and_absence():
    array = np.arange(4)
    others = [[array + 1], [array.astype(np.int32)], [array.reshape(2, 2)], [None], [array, None]]
    prints = {fingerprint(arrays) for arrays in [[array], *others]}
    assert len(prints) == 6 and fingerprint([array]) == fingerprint([array.copy()])


BAD_SETTINGS = {
    "noise": ({"noise": "unifrom"}, ValueError, "did you mean 'uniform'"),
    "rate": ({"noise": "flip", "noise_rate": 1.2}, ValueError, r"noise_rate: .* \[0, 1\].* 1.2"),
    "rate type": ({"noise_rate": "0.4"}, TypeError, "noise_rate: expected float, received '0.4'"),
    "rate alone": (
        {"noise_rate": 0.4},
        ValueError,
        "noise_rate: expected 0 without --noise, received 0.4",
    ),
    "factor": ({"imbalance_factor": 0.1}, ValueError, "imbalance_factor: .* \[1, inf\)"),
    "factor NaN": ({"imbalance_factor": float("nan")}, ValueError, "received nan"),
    "imbalance": ({"imbalance": "steps"}, ValueError, "did you mean 'step'"),
    "meta": ({"meta_size": 0}, ValueError, "meta_size: .* \\[1, inf\\), received 0"),
    "meta type": ({"meta_size": 10.0}, TypeError, "meta_size: expected int, received 10.0"),
    "validation": ({"validation_size": -1}, ValueError, "validation_size: .* \\[0, inf\\)"),
    "validation labels": ({"validation_labels": "dirty"}, ValueError, "one of clean, noisy"),
    "no validation": (
        {"validation_labels": "clean"},
        ValueError,
        "validation_size: expected a size above 0",
    ),
    "train": ({"train_size": 0}, ValueError, "train_size: .* \\[1, inf\\)"),
    "both": (
        {"noise": "flip", "noise_rate": 0.1, "label_file": "labels.csv"},
        ValueError,
        "label_file: expected --noise=none with it, received --noise=flip",
    ),
}


@pytest.mark.parametrize("changes, error, message", BAD_SETTINGS.values(), ids=BAD_SETTINGS.keys())
def test_bad_settings_are_refused(changes, error, message):
    with pytest.raises(error, match=message):
        biased_data.BiasSettings(**changes)


IMPOSSIBLE = {
    "meta": ({"meta_size": 200}, "at least 50 examples of class 0 .*received 40"),
    "small meta": ({"meta_size": 3}, "at least one example for each of 4 classes"),
    "empty class": ({"meta_size": 160}, "keep a training example, received none of class 0"),
    "train": ({"train_size": 153}, "train_size: expected at most 152 examples, .* received 153"),
    "validation": (
        {"validation_size": 152},
        "validation_size: expected at most 151 examples, .* received 152",
    ),
    "factor": ({"imbalance_factor": 100}, "received 100 with a largest class of 38.*class 3"),
    "file": ({"label_file": "nothing.csv"}, "nothing.csv, which does not exist"),
}


@pytest.mark.parametrize("settings, message", IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_more_than_the_source_holds_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        _prepare(**settings)


def test_noise_on_noisy_labels_is_refused():
    source = _source(y_given=np.arange(160) % 4)
    with pytest.raises(
        ValueError, match="noise: .* toy, which already holds noisy labels, received flip"
    ):
        _prepare(source, noise="flip", noise_rate=0.1)


def test_preparing_data_does_not_import_tensorflow():
    code = (
        "import sys, tf_mwn.data.splits.biased_data, tf_mwn.data.sources.loading\n"
        "sys.exit(sum(name in sys.modules for name in ('tensorflow', 'sklearn', 'pandas')))"
    )
    root = pathlib.Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
