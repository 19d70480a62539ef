"""Settings of the bias: imperfect meta sets, and what is refused."""

import numpy as np
import pytest

from tests.data.bias.toy_images import prepared, toy_source
from tf_mwn.data.splits import biased_data, card


def test_feature_dependent_noise_needs_probabilities():
    with pytest.raises(ValueError, match="noise_probabilities: expected a file with --noise=feat"):
        prepared(noise="feature2", noise_rate=0.3)


def test_meta_noise_leaves_everything_else_alone():
    clean = prepared(noise="flip", noise_rate=0.4, meta_size=80)
    data = prepared(
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
    exact = prepared(
        meta_size=80, meta_noise="symmetric", meta_noise_rate=0.25, noise_sampling="exact"
    )
    assert exact.card["meta"]["realised_rate"] == 0.25 and exact.card["noise"]["kind"] == "none"


@pytest.mark.parametrize(
    "kind, counts", [("long_tailed", [53, 24, 11, 5]), ("step", [43, 42, 4, 4])]
)
def test_meta_imbalance_keeps_the_size(kind, counts):
    data = prepared(meta_size=93, imbalance=kind, meta_imbalance_factor=10.0)
    assert data.card["meta_per_class"] == counts and len(data.meta) == 93
    assert data.card["imbalance"]["kind"] == "none"
    assert data.card["meta"]["realised_factor"] == max(counts) / min(counts)


def test_meta_pool_of_the_source_is_used():
    x = np.full((40, 3, 3, 1), 255, np.float32)
    source = toy_source(x_meta=x, y_meta=np.arange(40) % 4, clean_known=False)
    data = prepared(source, meta_size=12)
    assert np.all(data.meta.x == 255) and len(data.train) == 240
    assert data.card["meta"]["from"] == "clean examples apart"
    assert data.meta.sample_id.min() >= 248 and np.bincount(data.meta.label).tolist() == [3] * 4
    assert data.train.clean_label is None


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
    "noise of no meta set": (
        {"meta_size": 0, "meta_noise": "uniform", "meta_noise_rate": 0.5},
        "meta_noise: expected none with --meta_size=0, received uniform",
    ),
    "factor of no meta set": (
        {"meta_size": 0, "meta_imbalance_factor": 10.0},
        "meta_imbalance_factor: expected 1 with --meta_size=0, received 10",
    ),
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
        prepared(**settings)
