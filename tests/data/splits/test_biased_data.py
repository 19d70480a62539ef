"""Biased data: splits, the order of the biases, the card, and settings that are refused."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest

from tests.data.splits.toy_rows import prepared_rows, rows_source
from tf_mwn.data.splits import biased_data


def _ids(data):
    parts = (data.train, data.meta, data.validation)
    return [None if part is None else part.sample_id.tolist() for part in parts]


def test_parts_are_disjoint_complete_and_keep_their_inputs():
    data = prepared_rows(validation_size=20, noise="uniform", noise_rate=0.4)
    together = np.concatenate([ids for ids in _ids(data)])
    np.testing.assert_array_equal(np.sort(together), np.arange(160))
    for part in (data.train, data.meta, data.validation):
        np.testing.assert_array_equal(part.x[:, 0], 2 * part.sample_id)
        np.testing.assert_array_equal(part.clean_label, part.sample_id % 4)
    assert len(data.test) == 8 and not np.intersect1d(data.test.sample_id, together).size


def test_meta_and_test_labels_stay_clean_and_balanced():
    data = prepared_rows(noise="symmetric", noise_rate=1.0, meta_size=10)
    np.testing.assert_array_equal(data.meta.label, data.meta.clean_label)
    np.testing.assert_array_equal(data.test.label, data.test.clean_label)
    assert np.bincount(data.meta.label).tolist() == [3, 3, 2, 2]
    assert np.all(data.train.label != data.train.clean_label)


def test_same_seed_same_data_and_noise_leaves_the_split_alone():
    one = prepared_rows(validation_size=20)
    assert one.card == prepared_rows(validation_size=20).card
    noisy = prepared_rows(validation_size=20, noise="flip", noise_rate=0.4)
    assert _ids(noisy) == _ids(one)
    assert _ids(prepared_rows(validation_size=20, seed=1)) != _ids(one)


def test_validation_has_the_noise_of_training_unless_it_is_clean():
    noisy = prepared_rows(validation_size=60, noise="symmetric", noise_rate=1.0).validation
    assert np.all(noisy.label != noisy.clean_label)
    clean = prepared_rows(
        validation_size=60, validation_labels="clean", noise="symmetric", noise_rate=1.0
    ).validation
    np.testing.assert_array_equal(clean.label, clean.clean_label)
    np.testing.assert_array_equal(clean.sample_id, noisy.sample_id)


def test_imbalance_counts_start_from_the_smallest_class():
    data = prepared_rows(imbalance_factor=8.0)  # 40 - 2 left of each class
    assert np.bincount(data.train.clean_label).tolist() == [38, 19, 9, 4]
    assert data.card["imbalance"]["realised_factor"] == 38 / 4
    shuffled = prepared_rows(imbalance_factor=8.0, imbalance="shuffled_long_tailed", seed=1)
    counts = np.bincount(shuffled.train.label)
    assert sorted(counts) == sorted(np.bincount(data.train.label))
    assert counts.tolist() != sorted(counts, reverse=True)
    data = prepared_rows(imbalance_factor=19.0, imbalance="step", train_size=120)
    assert np.bincount(data.train.clean_label).tolist() == [30, 30, 1, 1]


def test_train_size_is_stratified():
    data = prepared_rows(train_size=40)
    assert np.bincount(data.train.label).tolist() == [10] * 4


def test_noise_of_the_source_is_kept():
    given = (np.arange(160) + (np.arange(160) < 40)) % 4
    data = prepared_rows(rows_source(y_given=given))
    np.testing.assert_array_equal(data.train.label, given[data.train.sample_id])
    np.testing.assert_array_equal(data.meta.label, data.meta.sample_id % 4)
    noise = data.card["noise"]
    assert noise["kind"] == "of the source" and noise["nominal_rate"] is None
    assert noise["realised_rate"] == np.mean(data.train.sample_id < 40)


def test_labels_of_a_file_replace_noise(tmp_path):
    labels = (np.arange(160) + 1) % 4
    np.save(tmp_path / "labels.npy", labels)
    data = prepared_rows(label_file=str(tmp_path / "labels.npy"))
    assert data.card["noise"]["realised_rate"] == 1.0 and data.card["noise"]["kind"] == "label file"
    np.testing.assert_array_equal(data.meta.label, data.meta.clean_label)


BAD_SETTINGS = {
    "noise": ({"noise": "unifrom"}, ValueError, "did you mean 'uniform'"),
    "rate": ({"noise": "flip", "noise_rate": 1.2}, ValueError, r"noise_rate: .* \[0, 1\].* 1.2"),
    "rate type": ({"noise_rate": "0.4"}, TypeError, "noise_rate: expected float, received '0.4'"),
    "rate alone": (
        {"noise_rate": 0.4},
        ValueError,
        "noise_rate: expected 0 without --noise, received 0.4",
    ),
    "factor": ({"imbalance_factor": 0.1}, ValueError, r"imbalance_factor: .* \[1, inf\)"),
    "factor NaN": ({"imbalance_factor": float("nan")}, ValueError, "received nan"),
    "imbalance": ({"imbalance": "steps"}, ValueError, "did you mean 'step'"),
    "meta": ({"meta_size": -1}, ValueError, "meta_size: .* \\[0, inf\\), received -1"),
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
        prepared_rows(**settings)


def test_noise_on_noisy_labels_is_refused():
    source = rows_source(y_given=np.arange(160) % 4)
    with pytest.raises(
        ValueError, match="noise: .* toy, which already holds noisy labels, received flip"
    ):
        prepared_rows(source, noise="flip", noise_rate=0.1)


def test_preparing_data_does_not_import_tensorflow():
    code = (
        "import sys, tf_mwn.data.splits.biased_data, tf_mwn.data.sources.loading\n"
        "sys.exit(sum(name in sys.modules for name in ('tensorflow', 'sklearn', 'pandas')))"
    )
    root = pathlib.Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
