"""Noise that depends on what a model predicts."""

import numpy as np
import pytest

from tf_mwn.data.bias.feature_noise import feature_dependent_labels, likeliest_pair
from tf_mwn.data.seeds import generator

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
        ({"factor": 0.0}, r"noise_factor: .* in \(0, inf\), received 0.0"),
    ],
)
def test_impossible_feature_noise_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        feature_dependent_labels(*_softmax(), "feature1", generator(0, "noise"), **options)
