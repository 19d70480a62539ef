"""Every kind of label noise that has a matrix: by hand, in general, and with exact counts."""

import numpy as np
import pytest

from tf_mwn.data.bias import noise
from tf_mwn.data.bias.noise_kinds import META_NOISE_KINDS, NOISE_KINDS
from tf_mwn.data.seeds import generator

COARSE = np.arange(100) * 7 % 20  # of 5 classes each, not of consecutive ones


def _matrix(kind, rate=0.4, num_classes=None):
    num_classes = num_classes or NOISE_KINDS[kind].num_classes or 10
    coarse = np.arange(num_classes) * 7 % max(num_classes // 5, 1)
    given = {"coarse": coarse, "target": 2, "matrix": np.eye(num_classes)}
    return noise.transition_matrix(kind, rate, num_classes, **given)


def test_moves_by_hand():
    def moves(kind, num_classes=None):
        off = _matrix(kind, 0.4, num_classes) - np.diag(np.diag(_matrix(kind, 0.4, num_classes)))
        assert set(np.round(off[off > 0], 9)) == {0.4}
        return {int(i): int(j) for i, j in np.argwhere(off > 0)}

    assert moves("pairflip", 4) == {0: 1, 1: 2, 2: 3, 3: 0}
    assert moves("asymmetric") == {9: 1, 2: 0, 4: 7, 3: 5, 5: 3}
    assert moves("asymmetric_one_way") == {9: 1, 2: 0, 4: 7, 3: 5}
    assert moves("background", 4) == {0: 2, 1: 2, 3: 2}
    blocks = moves("asymmetric_blocks")
    assert blocks[0] == 1 and blocks[4] == 0 and blocks[99] == 95 and len(blocks) == 100


def test_uniform_without_last_never_reaches_the_last_class():
    np.testing.assert_allclose(
        _matrix("uniform_without_last", 0.4, 3), [[0.8, 0.2, 0], [0.2, 0.8, 0], [0.2, 0.2, 0.6]]
    )
    clean = np.repeat(np.arange(5), 400)
    noisy = noise.corrupt(clean, _matrix("uniform_without_last", 1.0, 5), generator(0, "noise"))
    assert noisy.max() == 3


def test_hierarchical_never_leaves_the_superclass():
    matrix = _matrix("hierarchical", 0.4, 100)
    same = COARSE[:, None] == COARSE
    assert np.all(matrix[~same] == 0) and np.all(matrix[same] > 0)
    np.testing.assert_allclose(matrix[same & ~np.eye(100, dtype=bool)], 0.1)
    clean = np.repeat(np.arange(100), 50)
    noisy = noise.corrupt(clean, matrix, generator(0, "noise"))
    np.testing.assert_array_equal(COARSE[noisy], COARSE[clean])
    alone = noise.transition_matrix("hierarchical", 0.4, 3, coarse=np.array([0, 1, 0]))
    np.testing.assert_allclose(alone, [[0.6, 0, 0.4], [0, 1, 0], [0.4, 0, 0.6]])


def test_a_target_stays_itself_and_a_given_matrix_is_itself():
    np.testing.assert_array_equal(_matrix("background", 0.4)[2], np.eye(10)[2])
    given = np.array([[0.25, 0.75], [0.0, 1.0]])
    np.testing.assert_array_equal(
        noise.transition_matrix("matrix", 0.0, 2, matrix=given.tolist()), given
    )


@pytest.mark.parametrize("kind", META_NOISE_KINDS)
@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
def test_every_matrix_is_stochastic_and_the_identity_at_rate_zero(kind, rate):
    rate = 0.0 if kind == "none" else rate
    matrix = _matrix(kind, rate)
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0)
    assert matrix.min() >= 0 and matrix.dtype == np.float64
    if rate == 0:
        np.testing.assert_array_equal(matrix, np.eye(len(matrix)))


@pytest.mark.parametrize("kind", [kind for kind in META_NOISE_KINDS if kind != "none"])
def test_realised_rates_are_within_three_standard_deviations(kind):
    matrix = _matrix(kind)
    clean = np.repeat(np.arange(len(matrix)), 20000 // len(matrix))
    noisy = noise.corrupt(clean, matrix, generator(0, "noise"))
    expected = 1 - np.diag(matrix).mean()
    sigma = np.sqrt((np.diag(matrix) * (1 - np.diag(matrix))).mean() / len(clean))
    assert abs(noise.realised_rate(clean, noisy) - expected) < 3 * sigma
    assert np.all(noise.realised_matrix(clean, noisy, len(matrix))[matrix == 0] == 0)


@pytest.mark.parametrize("kind", ["uniform", "flip2", "asymmetric", "background"])
def test_exact_counts_are_the_matrix_rounded(kind):
    matrix = _matrix(kind, 0.37)
    sizes = np.array([1000, 7, 501, 90, 1, 333, 40, 77, 12, 250])
    clean = generator(0, "order").permutation(np.repeat(np.arange(10), sizes))
    noisy = noise.corrupt(clean, matrix, generator(1, "noise"), "exact")
    counts = noise.realised_matrix(clean, noisy, 10) * sizes[:, None]
    assert np.abs(counts - matrix * sizes[:, None]).max() < 1
    assert np.all(counts[matrix == 0] == 0)


def test_exact_draws_differ_by_seed_and_ties_are_broken_at_random():
    clean = np.zeros(7, int)
    matrix = np.full((4, 4), 0.25)
    drawn = [noise.corrupt(clean, matrix, generator(s, "n"), "exact") for s in range(30)]
    assert len({tuple(labels) for labels in drawn}) > 20
    short = {int(np.argmin(np.bincount(labels, minlength=4))) for labels in drawn}
    assert short == {0, 1, 2, 3}


BAD = [
    ("asymmetric", 7, {}, "expected 10 classes for 'asymmetric', received 7"),
    ("asymmetric_blocks", 10, {}, "expected 100 classes"),
    (
        "hierarchical",
        10,
        {},
        r"coarse: expected superclasses of the source for noise 'hierarchical'",
    ),
    ("hierarchical", 10, {"coarse": np.arange(9)}, "coarse: .* each of 10 classes, received 9"),
    ("background", 10, {"target": 10}, "below the 10 classes, received 10"),
    ("matrix", 10, {}, "matrix: expected a matrix for noise 'matrix', received none"),
    ("instance", 10, {}, "a kind with a transition matrix, received 'instance'"),
    ("feature1", 10, {}, "with a transition matrix, received 'feature1'"),
]


@pytest.mark.parametrize("kind, num_classes, given, message", BAD)
def test_missing_needs_are_refused(kind, num_classes, given, message):
    with pytest.raises(ValueError, match=message):
        noise.transition_matrix(kind, 0.0, num_classes, **given)


def test_unknown_sampling_is_refused():
    with pytest.raises(ValueError, match="did you mean 'exact'"):
        noise.corrupt(np.array([0]), np.eye(2), generator(0, "n"), "exakt")


def test_titles_fit_a_line_and_names_are_keys():
    for name, row in NOISE_KINDS.items():
        assert name == row.name and 10 < len(row.title) < 90
