"""Labels of the training set: files, exact counts, targets and superclasses."""

import numpy as np
import pytest

from tests.data.bias.toy_images import prepared, toy_source
from tf_mwn.data.splits import card


def test_matrix_file_is_the_noise(tmp_path):
    matrix = np.array([[0.5, 0.5, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    path = str(tmp_path / "T.npy")
    np.save(path, matrix)
    data = prepared(noise="matrix", noise_matrix=path, noise_sampling="exact")
    noise = data.card["noise"]
    assert noise["nominal_matrix"] == noise["realised_matrix"] == matrix.tolist()
    assert noise["nominal_rate"] is None and noise["expected_rate"] == 0.125
    assert noise["sampling"] == "exact" and "exact counts" in card.format_card(data.card)


def test_exact_counts_hold_in_training_and_validation():
    settings = dict(validation_size=40, noise="pairflip", noise_rate=0.5, imbalance_factor=2.0)
    data = prepared(noise_sampling="exact", **settings)
    for part in (data.train, data.validation):
        sizes = np.bincount(part.clean_label, minlength=4)
        wrong = np.bincount(part.clean_label[part.label != part.clean_label], minlength=4)
        assert np.abs(wrong - sizes / 2).max() <= 0.5
    assert (
        prepared(**settings).card["noise"]["realised_matrix"]
        != (data.card["noise"]["realised_matrix"])
    )


def test_background_target_is_given_or_drawn_and_stated():
    data = prepared(noise="background", noise_rate=0.5, noise_target=3)
    assert data.card["noise"]["target"] == 3
    wrong = data.train.label != data.train.clean_label
    assert set(data.train.label[wrong]) == {3} and "all to class 3" in card.format_card(data.card)
    drawn = {
        prepared(seed=seed, noise="background", noise_rate=0.5).card["noise"]["target"]
        for seed in range(12)
    }
    assert drawn == {0, 1, 2, 3}


def test_hierarchical_noise_follows_the_superclasses_of_the_source():
    source = toy_source(y_coarse=np.array([7, 2, 7, 2])[np.arange(240) % 4])
    assert source.coarse.tolist() == [7, 2, 7, 2]
    data = prepared(source, noise="hierarchical", noise_rate=0.5)
    np.testing.assert_array_equal(data.train.label % 2, data.train.clean_label % 2)
    with pytest.raises(ValueError, match="coarse: expected superclasses of the source"):
        prepared(noise="hierarchical", noise_rate=0.5)


def test_instance_and_feature_noise_reach_the_labels(tmp_path):
    data = prepared(noise="instance", noise_rate=0.4)
    noise = data.card["noise"]
    assert noise["nominal_matrix"] is None and abs(noise["expected_rate"] - 0.4) < 0.05
    assert abs(noise["realised_rate"] - 0.4) < 0.12
    path = str(tmp_path / "p.npy")
    np.save(path, 0.4 * np.eye(4)[np.arange(240) % 4] + 0.15)
    data = prepared(noise="feature1", noise_rate=0.3, noise_probabilities=path)
    assert abs(data.card["noise"]["expected_rate"] - 0.3) < 1e-6
    data = prepared(noise="feature1", noise_factor=1.43, noise_probabilities=path)
    noise = data.card["noise"]
    assert noise["nominal_rate"] is None and noise["nominal_factor"] == 1.43
    assert abs(noise["expected_rate"] - (1 - 0.58 / 1.43)) < 1e-6
