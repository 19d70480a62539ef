"""Bias beyond the basic kinds: files, exact counts, targets, superclasses, imperfect meta sets."""

import json

import numpy as np
import pytest

from tf_mwn.data.sources.source import RawSource, build_source
from tf_mwn.data.splits import biased_data, card


def _source(per_class=60, num_classes=4, **options):
    y = np.arange(per_class * num_classes) % num_classes
    x = np.random.default_rng(0).normal(size=(len(y), 3, 3, 1)).astype(np.float32)
    return build_source(RawSource("toy", x, y, x_test=x[:8], y_test=y[:8], **options))


def _prepare(source=None, seed=0, **settings):
    settings = {"meta_size": 8, **settings}
    return biased_data.prepare(source or _source(), biased_data.BiasSettings(**settings), seed)


def test_matrix_file_is_the_noise(tmp_path):
    matrix = np.array([[0.5, 0.5, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    path = str(tmp_path / "T.npy")
    np.save(path, matrix)
    data = _prepare(noise="matrix", noise_matrix=path, noise_sampling="exact")
    noise = data.card["noise"]
    assert noise["nominal_matrix"] == noise["realised_matrix"] == matrix.tolist()
    assert noise["nominal_rate"] is None and noise["expected_rate"] == 0.125
    assert noise["sampling"] == "exact" and "exact counts" in card.format_card(data.card)


def test_exact_counts_hold_in_training_and_validation():
    settings = dict(validation_size=40, noise="pairflip", noise_rate=0.5, imbalance_factor=2.0)
    data = _prepare(noise_sampling="exact", **settings)
    for part in (data.train, data.validation):
        sizes = np.bincount(part.clean_label, minlength=4)
        wrong = np.bincount(part.clean_label[part.label != part.clean_label], minlength=4)
        assert np.abs(wrong - sizes / 2).max() <= 0.5
    assert (
        _prepare(**settings).card["noise"]["realised_matrix"]
        != (data.card["noise"]["realised_matrix"])
    )


def test_background_target_is_given_or_drawn_and_stated():
    data = _prepare(noise="background", noise_rate=0.5, noise_target=3)
    assert data.card["noise"]["target"] == 3
    wrong = data.train.label != data.train.clean_label
    assert set(data.train.label[wrong]) == {3} and "all to class 3" in card.format_card(data.card)
    drawn = {
        _prepare(seed=seed, noise="background", noise_rate=0.5).card["noise"]["target"]
        for seed in range(12)
    }
    assert drawn == {0, 1, 2, 3}


def test_hierarchical_noise_follows_the_superclasses_of_the_source():
    source = _source(y_coarse=np.array([7, 2, 7, 2])[np.arange(240) % 4])
    assert source.coarse.tolist() == [7, 2, 7, 2]
    data = _prepare(source, noise="hierarchical", noise_rate=0.5)
    np.testing.assert_array_equal(data.train.label % 2, data.train.clean_label % 2)
    with pytest.raises(ValueError, match="coarse: expected superclasses of the source"):
        _prepare(noise="hierarchical", noise_rate=0.5)


def test_two_superclasses_of_one_class_are_refused():
    with pytest.raises(ValueError, match=r"y_coarse: .* received \[0, 1\] for class 1"):
        _source(y_coarse=np.arange(240) % 4 * (np.arange(240) > 3))


def test_instance_and_feature_noise_reach_the_labels(tmp_path):
    data = _prepare(noise="instance", noise_rate=0.4)
    noise = data.card["noise"]
    assert noise["nominal_matrix"] is None and abs(noise["expected_rate"] - 0.4) < 0.05
    assert abs(noise["realised_rate"] - 0.4) < 0.12
    path = str(tmp_path / "p.npy")
    np.save(path, 0.4 * np.eye(4)[np.arange(240) % 4] + 0.15)
    data = _prepare(noise="feature1", noise_rate=0.3, noise_probabilities=path)
    assert abs(data.card["noise"]["expected_rate"] - 0.3) < 1e-6
    data = _prepare(noise="feature1", noise_factor=1.43, noise_probabilities=path)
    noise = data.card["noise"]
    assert noise["nominal_rate"] is None and noise["nominal_factor"] == 1.43
    assert abs(noise["expected_rate"] - (1 - 0.58 / 1.43)) < 1e-6


def test_feature_dependent_noise_needs_probabilities():
    with pytest.raises(ValueError, match="noise_probabilities: expected a file with --noise=feat"):
        _prepare(noise="feature2", noise_rate=0.3)


def test_meta_noise_leaves_everything_else_alone():
    clean = _prepare(noise="flip", noise_rate=0.4, meta_size=80)
    data = _prepare(
        noise="flip",
        noise_rate=0.4,
        meta_size=80,
        meta_noise="symmetric",
        meta_noise_rate=0.25,
        noise_sampling="expected",
    )
    np.testing.assert_array_equal(data.meta.sample_id, clean.meta.sample_id)
    np.testing.assert_array_equal(data.meta.clean_label, clean.meta.label)
    np.testing.assert_array_equal(data.train.label, clean.train.label)
    assert abs(np.mean(data.meta.label != data.meta.clean_label) - 0.25) < 0.15
    assert data.card["meta"]["noise"] == "symmetric" and data.card["meta"]["expected_rate"] == 0.25
    assert "meta set     noise symmetric: nominal rate 0.25" in card.format_card(data.card)
    exact = _prepare(
        meta_size=80, meta_noise="symmetric", meta_noise_rate=0.25, noise_sampling="exact"
    )
    assert exact.card["meta"]["realised_rate"] == 0.25 and exact.card["noise"]["kind"] == "none"


@pytest.mark.parametrize(
    "kind, counts", [("long_tailed", [53, 24, 11, 5]), ("step", [43, 42, 4, 4])]
)
def test_meta_imbalance_keeps_the_size(kind, counts):
    data = _prepare(meta_size=93, imbalance=kind, meta_imbalance_factor=10.0)
    assert data.card["meta_per_class"] == counts and len(data.meta) == 93
    assert data.card["imbalance"]["kind"] == "none"
    assert data.card["meta"]["realised_factor"] == max(counts) / min(counts)


def test_meta_pool_of_the_source_is_used():
    x = np.ones((40, 3, 3, 1), np.float32)
    source = _source(x_meta=x, y_meta=np.arange(40) % 4, clean_known=False)
    data = _prepare(source, meta_size=12)
    assert np.all(data.meta.x == 1) and len(data.train) == 240
    assert data.card["meta"]["from"] == "clean examples apart"
    assert data.meta.sample_id.min() >= 248 and np.bincount(data.meta.label).tolist() == [3] * 4
    assert data.train.clean_label is None


def test_full_card_is_json_and_fits_a_terminal():
    other = _source(per_class=300)
    settings = biased_data.BiasSettings(
        meta_size=20,
        noise="background",
        noise_rate=0.4,
        noise_sampling="exact",
        imbalance_factor=3.0,
        open_set="toy",
        open_set_rate=0.1,
        data_noise="gaussian",
        data_noise_rate=0.1,
        meta_noise="uniform",
        meta_noise_rate=0.2,
        meta_imbalance_factor=2.0,
    )
    data = biased_data.prepare(_source(num_classes=10), settings, 0, other)
    assert json.loads(json.dumps(data.card, allow_nan=False)) == data.card
    text = card.format_card(data.card)
    assert len(text.splitlines()) <= 25 and max(map(len, text.splitlines())) <= 120


BAD_SETTINGS = {
    "matrix alone": (
        {"noise_matrix": "T.npy"},
        "noise_matrix: expected --noise=matrix with it",
    ),
    "no matrix": ({"noise": "matrix"}, "noise_matrix: expected a file with --noise=matrix"),
    "matrix and rate": (
        {"noise": "matrix", "noise_matrix": "T.npy", "noise_rate": 0.1},
        "noise_rate: expected 0 with --noise=matrix",
    ),
    "probabilities": ({"noise_probabilities": "p.npy"}, "noise_probabilities: .*feature3 with it"),
    "factor": ({"noise_factor": 1.4}, "noise_factor: .* with it, received --noise=none"),
    "factor and rate": (
        {"noise": "feature1", "noise_probabilities": "p", "noise_factor": 2.0, "noise_rate": 0.3},
        "noise_rate: expected 0 with --noise_factor, received 0.3",
    ),
    "factor zero": (
        {"noise_factor": 0.0},
        "noise_factor: expected a value in .1e-06, inf., received 0.0",
    ),
    "target": (
        {"noise": "flip", "noise_target": 1},
        "noise_target: expected --noise=background with it",
    ),
    "negative target": ({"noise_target": -1}, "noise_target: expected a value in .0, inf."),
    "exact nothing": ({"noise_sampling": "exact"}, "noise_sampling: .* transition matrix"),
    "exact instance": ({"noise": "instance", "noise_sampling": "exact"}, "received --noise=inst"),
    "sampling": ({"noise_sampling": "exacts"}, "did you mean 'exact'"),
    "open rate": (
        {"open_set_rate": 0.2},
        "open_set_rate: expected 0 without --open_set, received 0.2",
    ),
    "data rate": (
        {"data_noise_rate": 0.2},
        "data_noise_rate: expected 0 without --data_noise, received 0.2",
    ),
    "data kind": ({"data_noise": "gauss"}, "did you mean 'gaussian'"),
    "sum": (
        {"open_set": "x", "open_set_rate": 0.6, "data_noise": "gaussian", "data_noise_rate": 0.6},
        "open_set_rate: .* at most 1 .*, received 1.2",
    ),
    "meta rate": (
        {"meta_noise_rate": 0.2},
        "meta_noise_rate: expected 0 without --meta_noise, received 0.2",
    ),
    "meta kind": ({"meta_noise": "matrix"}, "meta_noise: expected one of"),
    "meta factor": (
        {"meta_imbalance_factor": 0.5},
        "meta_imbalance_factor: expected a value in .1, inf.",
    ),
}


@pytest.mark.parametrize("settings, message", BAD_SETTINGS.values(), ids=BAD_SETTINGS.keys())
def test_meaningless_combinations_are_refused(settings, message):
    with pytest.raises(ValueError, match=message) as caught:
        biased_data.BiasSettings(**settings)
    assert "\n" not in str(caught.value)


IMPOSSIBLE = {
    "target": (
        {"noise": "background", "noise_target": 4},
        "noise_target: expected a class below 4",
    ),
    "asymmetric": ({"noise": "asymmetric", "noise_rate": 0.1}, "10 classes for 'asymmetric'"),
    "meta tail": ({"meta_imbalance_factor": 50.0}, "at least one example for each of 4 classes"),
    "file": ({"noise": "matrix", "noise_matrix": "no.npy"}, "no.npy, which does not exist"),
}


@pytest.mark.parametrize("settings, message", IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_what_the_source_cannot_have_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        _prepare(**settings)
