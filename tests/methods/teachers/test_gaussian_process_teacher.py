"""The Gaussian process that teaches: its posterior, its length scale and its clusters."""

import numpy as np
import pytest

from tf_mwn.methods.teachers.gaussian_process_teacher import (
    JITTER,
    GaussianProcessTeacher,
    check_teacher,
    median_distance,
)

rng = np.random.default_rng(3)


TRUSTED = rng.normal(size=(8, 2))


LABELS = np.eye(3)[np.arange(8) % 3]


def test_the_posterior_is_the_textbooks():
    """Mean kᵀ K⁻¹ y and variance 1 - kᵀ K⁻¹ k, with explicit inverses."""
    points = rng.normal(size=(20, 2))
    labels, variances = GaussianProcessTeacher(TRUSTED, LABELS)(points)
    mean, std = TRUSTED.mean(axis=0), TRUSTED.std(axis=0)
    trusted, points = (TRUSTED - mean) / std, (points - mean) / std
    scale = median_distance(trusted)

    def covariance(a, b):
        return np.exp(-((a[:, None] - b[None]) ** 2).sum(axis=2) / (2 * scale**2))

    inverse = np.linalg.inv(covariance(trusted, trusted) + JITTER * np.eye(8))
    cross = covariance(points, trusted)
    expected = cross @ inverse @ (LABELS - 1 / 3) + 1 / 3
    np.testing.assert_allclose(expected.sum(axis=1), 1, rtol=1e-9)
    assert (expected < 0).any(), "clipping is put to the test"
    clipped = np.maximum(expected, 0)
    np.testing.assert_allclose(labels, clipped / clipped.sum(axis=1, keepdims=True), atol=1e-5)
    np.testing.assert_allclose(
        variances, 1 - np.einsum("nm,mk,nk->n", cross, inverse, cross), atol=1e-5
    )


def test_sure_at_trusted_examples_and_ignorant_far_away():
    teacher = GaussianProcessTeacher(TRUSTED, LABELS)
    labels, variances = teacher(TRUSTED)
    np.testing.assert_allclose(labels, LABELS, atol=1e-2)
    np.testing.assert_allclose(variances, 0, atol=1e-5)
    labels, variances = teacher(TRUSTED + 1e3)
    np.testing.assert_allclose(labels, np.full((8, 3), 1 / 3), rtol=1e-6)
    np.testing.assert_allclose(variances, 1, rtol=1e-6)


def test_the_weight_falls_with_the_distance_from_what_is_trusted():
    right = TRUSTED[TRUSTED[:, 0].argmax()]
    line = right + np.linspace(0, 10, 30)[:, None] * [1, 0]
    weights = np.exp(-2 * GaussianProcessTeacher(TRUSTED, LABELS)(line)[1])
    assert (np.diff(weights) <= 0).all() and weights[0] > 0.999 and weights[-1] < 0.2


def test_the_median_distance_by_hand():
    points = np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 0.0], [0.0, 1.0]])
    distances = [5, 1, 5, np.sqrt(18), 1]  # duplicates say nothing
    assert median_distance(points) == pytest.approx(np.median(distances))
    assert median_distance(points[:1]) == 1.0


def test_the_marginal_likelihood_is_no_smaller_than_the_medians():
    sides = np.eye(2)[(TRUSTED[:, 0] > 0).astype(int)]
    fits = [
        GaussianProcessTeacher(TRUSTED, sides, rule)._processes[0]
        for rule in ("median", "marginal_likelihood")
    ]
    assert fits[1].kernel_.length_scale != fits[0].kernel_.length_scale
    assert fits[1].log_marginal_likelihood() > fits[0].log_marginal_likelihood()


def test_each_cluster_has_a_teacher_of_its_own():
    """Whatever the labels of one cloud, the other's are the same; one process would mix them."""
    clouds = np.concatenate([TRUSTED, TRUSTED + 30])
    near = TRUSTED + 0.3

    def labels(clusters, others):
        every = np.concatenate([LABELS, others])
        return GaussianProcessTeacher(clouds, every, clusters=clusters)(near)[0]

    first, second = np.eye(3)[[0] * 8], np.eye(3)[[2] * 8]
    np.testing.assert_array_equal(labels(2, first), labels(2, second))
    assert np.abs(labels(1, first) - labels(1, second)).max() > 1e-3


@pytest.mark.parametrize(
    ("size", "clusters", "message"),
    [(5, 6, "at most the 5 examples"), (12_000, 2, "at most 5000 .* received 12000 for 2")],
)
def test_a_trusted_set_that_cannot_be_fitted(size, clusters, message):
    with pytest.raises(ValueError, match=message):
        check_teacher(size, clusters)
