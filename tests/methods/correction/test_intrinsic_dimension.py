"""The local intrinsic dimension: its estimate, and its turning point."""

import numpy as np
import pytest

from tf_mwn.methods.correction import intrinsic_dimension as lid

rng = np.random.default_rng(0)


X, Y = rng.normal(size=(60, 5)).astype("float32"), rng.integers(0, 3, 60)


@pytest.mark.parametrize("dimension", [2, 5])
def test_uniform_points_in_a_ball_have_its_dimension(dimension):
    """The ball lies in a space of more dimensions, which do not count."""
    rng = np.random.default_rng(1)
    points = rng.normal(size=(1000, dimension))
    radii = rng.uniform(size=(1000, 1)) ** (1 / dimension)
    points *= radii / np.linalg.norm(points, axis=1, keepdims=True)
    frame, _ = np.linalg.qr(rng.normal(size=(9, dimension)))
    estimate = np.mean(lid.local_intrinsic_dimension(points @ frame.T, 20))
    np.testing.assert_allclose(estimate, dimension, rtol=0.15)


def test_the_estimate_by_hand():
    """Distances 1, 2 and 4 from the origin: -1/mean(ln ¼, ln ½, 0) = 1/ln 2."""
    points = np.array([[0.0, 0], [1, 0], [0, -2], [-4, 0]])
    np.testing.assert_allclose(
        lid.local_intrinsic_dimension(points, 3)[0], 1 / np.log(2), rtol=1e-6
    )


def test_scale_and_offset_do_not_matter():
    points = rng.normal(size=(50, 4))
    np.testing.assert_allclose(
        lid.local_intrinsic_dimension(3 * points + 7, 10),
        lid.local_intrinsic_dimension(points, 10),
        rtol=1e-5,
    )


def test_duplicates_are_finite_and_equal_distances_infinite():
    points = np.concatenate([X, X[:1]])
    assert np.isfinite(lid.local_intrinsic_dimension(points, 20)).all()
    assert np.isinf(lid.local_intrinsic_dimension(np.zeros((30, 2)), 20)).all()
    assert np.isnan(lid.mean_over_batches(np.zeros((30, 2)), 20, 128, rng))


def test_few_points_are_all_neighbours():
    np.testing.assert_array_equal(
        lid.local_intrinsic_dimension(X[:6], 20), lid.local_intrinsic_dimension(X[:6], 5)
    )
    with pytest.raises(ValueError, match="neighbours: expected at least 2"):
        lid.local_intrinsic_dimension(X[:2])


def test_batches_are_separate():
    two = lid.mean_over_batches(X, 5, 30, np.random.default_rng(4))
    order = np.random.default_rng(4).permutation(X)
    halves = [lid.local_intrinsic_dimension(half, 5) for half in (order[:30], order[30:])]
    np.testing.assert_allclose(two, np.mean(halves))


def test_turning_point_of_a_hand_series():
    """Window 3, 4, 5: mean 4, deviation √(2/3) = 0.816."""
    assert lid.is_turning_point([3, 4, 5, 4 + 2 * 0.817])
    assert not lid.is_turning_point([3, 4, 5, 4 + 2 * 0.816])


def test_the_label_share_falls_with_time_and_with_dimension():
    shares = [lid.label_share(t / 10, 4.0, 2.0) for t in range(11)]
    assert shares[0] == 1 and np.all(np.diff(shares) < 0)
    np.testing.assert_allclose(shares[-1], np.exp(-2))
    assert lid.label_share(0.5, 5.0, 2.0) < lid.label_share(0.5, 4.0, 2.0)
