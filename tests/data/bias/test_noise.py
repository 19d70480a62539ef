"""Label noise: matrices by hand, the reference protocol's targets, and the draws."""

import numpy as np
import pytest

from tf_mwn.data.bias import noise
from tf_mwn.data.seeds import generator


def test_matrices_by_hand():
    np.testing.assert_allclose(
        noise.transition_matrix("uniform", 0.3, 3),
        [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]],
    )
    np.testing.assert_allclose(
        noise.transition_matrix("symmetric", 0.3, 3),
        [[0.7, 0.15, 0.15], [0.15, 0.7, 0.15], [0.15, 0.15, 0.7]],
    )
    np.testing.assert_array_equal(noise.transition_matrix("none", 0.0, 2), np.eye(2))


def test_cifar10_targets_equal_the_reference_protocol():
    flip = noise.transition_matrix("flip", 0.4, 10) - 0.6 * np.eye(10)
    assert flip.argmax(axis=1).tolist() == [6, 9, 6, 0, 0, 1, 8, 6, 2, 4]
    flip2 = noise.transition_matrix("flip2", 0.4, 10) - 0.6 * np.eye(10)
    want = [{9, 3}, {4, 8}, {1, 8}, {8, 4}, {2, 5}, {7, 4}, {9, 2}, {8, 5}, {6, 5}, {5, 4}]
    assert [set(np.flatnonzero(row > 0.1)) for row in flip2] == want
    np.testing.assert_allclose(flip2[flip2 > 0.1], 0.2)


@pytest.mark.parametrize("kind", ["uniform", "symmetric", "flip", "flip2"])
@pytest.mark.parametrize("rate", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("num_classes", [3, 10, 100])
def test_rows_are_distributions_and_rate_zero_is_the_identity(kind, rate, num_classes):
    matrix = noise.transition_matrix(kind, rate, num_classes)
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0)
    kept = 1 - rate * (1 - 1 / num_classes) if kind == "uniform" else 1 - rate
    np.testing.assert_allclose(np.diag(matrix), kept, atol=1e-12)


def test_targets_do_not_depend_on_the_rate():
    low, high = (noise.transition_matrix("flip2", rate, 100) > 0 for rate in (0.2, 0.4))
    np.testing.assert_array_equal(low, high)


@pytest.mark.parametrize("kind", ["uniform", "symmetric", "flip", "flip2"])
def test_corrupted_labels_follow_the_matrix(kind):
    clean = np.repeat(np.arange(10), 4000)
    matrix = noise.transition_matrix(kind, 0.4, 10)
    noisy = noise.corrupt(clean, matrix, generator(0, "noise"))
    assert noisy.dtype == np.int64
    observed = noise.realised_matrix(clean, noisy, 10)
    np.testing.assert_allclose(observed, matrix, atol=5 * np.sqrt(0.25 / 4000))
    assert np.all(observed[matrix == 0] == 0)
    rate = 0.36 if kind == "uniform" else 0.4
    assert noise.realised_rate(clean, noisy) == pytest.approx(rate, abs=0.0125)


def test_corruption_depends_on_the_seed_alone():
    clean = np.arange(1000) % 10
    matrix = noise.transition_matrix("uniform", 0.4, 10)
    one, same, other = (noise.corrupt(clean, matrix, generator(s, "noise")) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_vectorised_draw_equals_the_loop():
    clean = np.arange(200) % 5
    matrix = noise.transition_matrix("flip2", 0.6, 5)
    uniform = generator(3, "noise").random(200)
    want = [
        int(np.sum(u >= np.cumsum(matrix[c])[:-1])) for c, u in zip(clean, uniform, strict=True)
    ]
    np.testing.assert_array_equal(noise.corrupt(clean, matrix, generator(3, "noise")), want)


def test_zero_probability_is_never_drawn_at_the_upper_edge():
    class Edge:
        def random(self, size):
            return np.full(size, np.nextafter(1.0, 0.0))

    matrix = np.array([[0.1] * 10 + [0.0], *np.eye(11)[1:]])
    assert noise.corrupt(np.zeros(3, int), matrix, Edge()).tolist() == [9, 9, 9]


def test_realised_by_hand():
    clean, noisy = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    assert noise.realised_rate(clean, noisy) == 0.25
    np.testing.assert_array_equal(
        noise.realised_matrix(clean, noisy, 3), [[0.5, 0.5, 0], [0, 1, 0], [0, 0, 0]]
    )


BAD = [
    (("flipp", 0.1, 10), ValueError, "did you mean 'flip'"),
    (("uniform", -0.1, 10), ValueError, r"noise_rate: .* in \[0, 1\], received -0.1"),
    (("uniform", 1.5, 10), ValueError, "received 1.5"),
    (("uniform", float("nan"), 10), ValueError, "received nan"),
    (("none", 0.2, 10), ValueError, "noise_rate: expected 0 with noise 'none', received 0.2"),
    (("flip2", 0.2, 2), ValueError, "num_classes: expected an integer of at least 3, received 2"),
    (("flip", 0.2, 1), ValueError, "num_classes: expected an integer of at least 2, received 1"),
    (("flip", 0.2, 10.0), TypeError, "num_classes: expected an integer"),
]


@pytest.mark.parametrize("arguments, error, message", BAD)
def test_bad_noise_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        noise.transition_matrix(*arguments)


@pytest.mark.parametrize(
    "labels, matrix, message",
    [
        ([0, 2], np.eye(2), "below the 2 classes, received 2"),
        ([0, 1], np.ones((2, 2)), "that sum to 1"),
        ([0, 1], [[1.5, -0.5], [0, 1]], "least entry -0.5"),
        ([0, 1], np.full((2, 2), np.nan), "that sum to 1"),
        ([0, 1], np.ones((2, 3)), r"shape \[C, C\], received \[2, 3\]"),
    ],
)
def test_bad_corruption_is_refused(labels, matrix, message):
    with pytest.raises(ValueError, match=message):
        noise.corrupt(np.array(labels), np.array(matrix), generator(0, "noise"))
