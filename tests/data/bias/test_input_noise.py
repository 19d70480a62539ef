"""Noise that depends on inputs or on class probabilities, and the files that describe noise."""

import numpy as np
import pytest

from tf_mwn.data.bias.feature_noise import feature_dependent_labels, likeliest_pair
from tf_mwn.data.bias.instance_noise import (
    instance_dependent_labels,
    standard_normal,
    truncated_normal,
)
from tf_mwn.data.bias.noise_files import read_matrix, read_probabilities
from tf_mwn.data.seeds import generator


def _inputs(size=4000, num_classes=5):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (size, 4, 4, 3)).astype(np.uint8), np.arange(size) % num_classes


def test_instance_noise_has_its_rate_and_is_right_where_it_is_not_wrong():
    x, clean = _inputs()
    label, wrong = instance_dependent_labels(x, clean, 0.4, 5, generator(0, "noise"))
    assert label.dtype == np.int64 and label.min() >= 0 and label.max() < 5
    assert wrong.min() > 0 and wrong.max() < 1 and abs(wrong.std() - 0.1) < 0.01
    sigma = np.sqrt(0.24 / len(clean))
    assert abs((label != clean).mean() - wrong.mean()) < 3 * sigma
    high = wrong > 0.5
    assert (label != clean)[high].mean() > (label != clean)[~high].mean() + 0.1


def test_instance_noise_depends_on_the_input():
    x, clean = _inputs()
    x[:], clean = x[0], np.zeros_like(clean)
    x[::2] = 255 - x[::2]
    label, _ = instance_dependent_labels(x, clean, 1.0, 5, generator(0, "noise"))
    for part in (label[::2], label[1::2]):  # 48 inputs: the softmax is close to one class
        drawn = part[part != 0]
        assert np.bincount(drawn).max() > 0.9 * len(drawn)


def test_instance_noise_with_two_classes_and_without_noise():
    x, clean = _inputs(400, 2)
    label, wrong = instance_dependent_labels(x, clean, 0.5, 2, generator(0, "noise"))
    assert set(label) == {0, 1} and 0.35 < (label != clean).mean() < 0.65
    label, wrong = instance_dependent_labels(x, clean, 0.0, 2, generator(0, "noise"))
    np.testing.assert_array_equal(label, clean)
    assert not wrong.any()


def test_normal_draws():
    values = standard_normal(generator(0, "x"), (20000,))
    assert abs(values.mean()) < 0.03 and abs(values.std() - 1) < 0.03
    assert abs((np.abs(values) < 1).mean() - 0.6827) < 0.015
    middle = truncated_normal(np.linspace(0, 1, 1001), 0.5, 0.1)
    assert np.all(np.diff(middle) > 0) and middle[500] == pytest.approx(0.5)
    assert truncated_normal(np.array([0.0, 0.5, 1.0]), 0.0, 0.1)[1] == pytest.approx(0.06745, 1e-3)


PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.1, 0.45, 0.45], [0.0, 0.0, 1.0]])


def test_likeliest_pair_by_hand():
    first, second, margin = likeliest_pair(PROBABILITIES)
    assert first.tolist() == [0, 1, 2] and second.tolist() == [1, 2, 0]
    np.testing.assert_allclose(margin, [0.5, 0.0, 1.0])


@pytest.mark.parametrize(
    "kind, keep",
    [
        ("feature1", [0.625, 0.5, 1.0]),
        ("feature2", [0.125, 0.0, 1.0]),
        ("feature3", [0.875 / 3, 0.0, 1.0]),
    ],
)
def test_feature_noise_probabilities_by_hand(kind, keep):
    keep = np.array(keep) / 1.25
    first, second, _ = likeliest_pair(PROBABILITIES)
    draw = {"kind": kind, "rng": generator(0, "noise"), "factor": 1.25}
    _, wrong = feature_dependent_labels(PROBABILITIES, first, **draw)
    np.testing.assert_allclose(wrong, 1 - keep)
    _, wrong = feature_dependent_labels(PROBABILITIES, second, **draw)
    np.testing.assert_allclose(wrong, keep)
    _, wrong = feature_dependent_labels(PROBABILITIES, 3 - first - second, **draw)
    np.testing.assert_array_equal(wrong, 1.0)
    many = np.tile(PROBABILITIES, (4000, 1))
    label, _ = feature_dependent_labels(many, np.tile(first, 4000), **draw)
    shares = (label.reshape(-1, 3) == first).mean(axis=0)
    np.testing.assert_allclose(shares, keep, atol=3 * np.sqrt(0.25 / 4000))
    assert np.all((label.reshape(-1, 3) == first) | (label.reshape(-1, 3) == second))


def _softmax(size=3000, num_classes=4):
    rng = np.random.default_rng(1)
    logits = 2 * rng.normal(size=(size, num_classes))
    share = np.exp(logits)
    clean = np.where(rng.random(size) < 0.9, logits.argmax(axis=1), rng.integers(0, 4, size))
    return share / share.sum(axis=1, keepdims=True), clean


@pytest.mark.parametrize("kind", ["feature1", "feature2", "feature3"])
@pytest.mark.parametrize("rate", [0.35, 0.6])
def test_feature_noise_has_the_rate_asked_for(kind, rate):
    probabilities, clean = _softmax()
    label, wrong = feature_dependent_labels(
        probabilities, clean, kind, generator(0, "noise"), rate=rate
    )
    assert wrong.mean() == pytest.approx(rate, abs=1e-9)
    assert abs((label != clean).mean() - rate) < 3 * np.sqrt(rate * (1 - rate) / len(clean))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"rate": 0.01}, r"noise_rate: .* in \[0.*\] for noise 'feature1' .*, received 0.01"),
        ({"rate": 0.99}, "received 0.99"),
        ({}, "a rate or a factor, received rate None and factor None"),
        ({"rate": 0.3, "factor": 1.2}, "a rate or a factor"),
        ({"factor": 0.0}, "noise_factor: .* in \(0, inf\), received 0.0"),
    ],
)
def test_impossible_feature_noise_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        feature_dependent_labels(*_softmax(), "feature1", generator(0, "noise"), **options)


def test_matrix_files_agree(tmp_path):
    matrix = np.array([[0.75, 0.25], [0.0, 1.0]])
    np.save(tmp_path / "T.npy", matrix)
    np.savetxt(tmp_path / "T.csv", matrix, delimiter=",")
    for name in ("T.npy", "T.csv"):
        np.testing.assert_array_equal(read_matrix(str(tmp_path / name), 2), matrix)


BAD_MATRICES = {
    "sum": ("0.5,0.4\n0,1\n", ValueError, r"T.csv: expected rows .* sum of 0.9 in row 0"),
    "negative": ("1.5,-0.5\n0,1\n", ValueError, "least entry -0.5"),
    "shape": ("1,0,0\n0,1,0\n0,0,1\n", ValueError, r"shape \[2, 2\] in .*T.csv, received \[3, 3\]"),
    "words": ("a,b\n0,1\n", ValueError, "rows of numbers in .*T.csv, received"),
    "ragged": ("1,0\n1\n", ValueError, "rows of numbers in .*T.csv, received"),
}


@pytest.mark.parametrize("text, error, message", BAD_MATRICES.values(), ids=BAD_MATRICES.keys())
def test_bad_matrices_are_refused(tmp_path, text, error, message):
    (tmp_path / "T.csv").write_text(text)
    with pytest.raises(error, match=message) as caught:
        read_matrix(str(tmp_path / "T.csv"), 2)
    assert "\n" not in str(caught.value)


def test_bad_matrix_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match="noise_matrix: .* received .*no.csv, which does not"):
        read_matrix(str(tmp_path / "no.csv"), 2)
    with pytest.raises(ValueError, match="noise_matrix: .* .npy or .csv, received .*T.txt"):
        read_matrix(str(tmp_path / "T.txt"), 2)
    np.save(tmp_path / "T.npy", np.array([["a"]]))
    with pytest.raises(TypeError, match="numbers in .*T.npy"):
        read_matrix(str(tmp_path / "T.npy"), 2)


def test_probability_files_agree_and_align(tmp_path):
    ids = np.array([4, 9, 2])
    np.save(tmp_path / "p.npy", PROBABILITIES.astype(np.float32))
    np.savez(tmp_path / "p.npz", sample_id=ids[::-1], probability=PROBABILITIES[::-1])
    for name in ("p.npy", "p.npz"):
        got = read_probabilities(str(tmp_path / name), ids, 3)
        np.testing.assert_allclose(got, PROBABILITIES, atol=1e-7)
        np.testing.assert_allclose(got.sum(axis=1), 1.0, rtol=1e-15)


def test_bad_probability_files_are_refused(tmp_path):
    path, ids = str(tmp_path / "p.npz"), np.arange(3)
    np.savez(path, sample_id=ids, logits=PROBABILITIES)
    with pytest.raises(ValueError, match="sample_id and probability in .*, received sample_id, lo"):
        read_probabilities(path, ids, 3)
    np.savez(path, sample_id=ids, probability=PROBABILITIES[:, :2])
    with pytest.raises(ValueError, match=r"shape \[3, 3\] in .*p.npz, received \[3, 2\]"):
        read_probabilities(path, ids, 3)
    np.savez(path, sample_id=ids, probability=PROBABILITIES * [[1], [2], [1]])
    with pytest.raises(ValueError, match=r"sum to 1 in .*received \[0.2, 0.9, 0.9\] in row 1"):
        read_probabilities(path, ids, 3)
    with pytest.raises(ValueError, match="received none for 1, the first with id 3"):
        read_probabilities(path, np.arange(4), 3)
