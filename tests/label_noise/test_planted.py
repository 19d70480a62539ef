"""Planted errors: drawn as told, and their AUC and its error by hand and by a second route."""

import numpy as np
import pytest

from tf_mwn.label_noise.measures import noise_auc
from tf_mwn.label_noise.planted import auc_and_error, given_up, observed_confusions, plant

OWN, WRONG = np.array([0.9, 0.6, 0.4, 0.8]), np.array([0.1, 0.5, 0.7, 0.2])


def test_wrong_labels_are_drawn_by_the_errors_of_the_matrix():
    matrix = np.array([[0.7, 0.3, 0.0], [0.3, 0.6, 0.1], [0.0, 0.5, 0.5]])
    labels = np.arange(3).repeat(10_000)
    wrong = plant(labels, matrix, np.random.default_rng(0))
    shares = np.stack([np.bincount(wrong[labels == c], minlength=3) / 10_000 for c in range(3)])
    np.testing.assert_allclose(shares, [[0, 1, 0], [0.75, 0, 0.25], [0, 1, 0]], atol=0.02)
    assert not (wrong == labels).any() and shares[0, 1] == 1 and shares[2, 1] == 1
    np.testing.assert_array_equal(wrong, plant(labels, matrix, np.random.default_rng(0)))


def test_auc_and_error_of_four_examples_by_hand():
    # 0.9 and 0.8 are above all wrong ones, 0.6 above three and 0.4 above two: 13 of 16 pairs.
    auc, error = auc_and_error(OWN, WRONG)
    assert auc == pytest.approx(13 / 16)
    # Each example with both of its labels: 1 + 1, 3/4 + 3/4, 1/2 + 1/2, 1 + 1.
    assert error == pytest.approx(np.std([2, 1.5, 1, 2], ddof=1) / 2)


@pytest.mark.parametrize(
    ("own", "wrong", "expected"),
    [
        (np.full(4, 0.3), np.full(4, 0.3), (0.5, 0.0)),  # a constant V
        (1 - np.zeros(4), 1 - np.array([0.2, 0.9, 0.4, 0.7]), (1.0, 0.0)),  # V = 1 - loss
        (np.zeros(4), np.array([0.2, 0.9, 0.4, 0.7]), (0.0, 0.0)),  # V = loss
    ],
)
def test_a_constant_a_falling_and_a_rising_curve(own, wrong, expected):
    assert auc_and_error(own, wrong) == expected


def test_the_error_is_that_of_other_clean_examples():
    """The standard deviation of the AUC over many samples of clean examples."""
    rng = np.random.default_rng(0)

    def sample(size=60):
        shared = rng.normal(size=size)  # what both labels of an example have in common
        return rng.normal(size=size) + shared + 0.5, rng.normal(size=size) + shared

    aucs, errors = np.transpose([auc_and_error(*sample()) for _ in range(400)])
    assert errors.mean() == pytest.approx(aucs.std(), rel=0.1)
    assert auc_and_error(OWN[:1], WRONG[:1]) == (1.0, np.inf)


def test_the_auc_is_that_of_known_noise():
    both, is_wrong = np.concatenate([OWN, WRONG]), np.arange(8) >= 4
    assert auc_and_error(OWN, WRONG)[0] == noise_auc(both, is_wrong)


def test_confusions_are_those_of_the_given_labels_and_leave_no_class_without_a_way_out():
    rng = np.random.default_rng(0)
    true = rng.integers(0, 3, 3000)
    given = np.where(rng.random(3000) < 0.3, (true + 1) % 3, true)
    clean = np.arange(3).repeat(20)
    sure = 8 * np.eye(3)
    matrix = observed_confusions((sure[clean], clean), (sure[true], given))
    np.testing.assert_allclose(matrix, 0.7 * np.eye(3) + 0.3 * np.eye(3)[[1, 2, 0]], atol=0.03)
    assert (matrix > 0).all()
    # Without training labels the errors of the classifier stand in for them.
    wrong = np.where(np.arange(60) % 4 == 0, (clean + 1) % 3, clean)
    matrix = observed_confusions((sure[wrong], clean), None)
    np.testing.assert_allclose(matrix.diagonal(), 0.75, atol=0.01)
    assert (matrix > 0).all() and matrix[0, 1] > 100 * matrix[0, 2]


def clean_examples(predicted_right):
    """Logits and labels of five, six, five and four examples of four of five classes."""
    labels = np.arange(4).repeat([5, 6, 5, 4])
    predicted = np.where(np.array(predicted_right)[labels], labels, 4)
    return np.eye(5)[predicted], labels


@pytest.mark.parametrize(
    ("weights", "predicted_right", "expected"),
    [
        # Of the means of enough examples, 0.8, 0.4 and 0.05, the last is below a quarter of 0.42.
        ((0.8, 0.4, 0.05, 0.01), (True, True, False, True), [2]),
        ((0.8, 0.4, 0.05, 0.01), (True, True, True, True), []),  # V rises: class 2 is known
        ((0.8, 0.11, 0.11, 0.01), (True, False, False, False), []),  # a quarter is 0.085
        ((0.8, 0.4, 0.2, 0.0), (True, True, True, False), []),  # four examples say little
    ],
)
def test_classes_given_up_by_hand(weights, predicted_right, expected):
    logits, labels = clean_examples(predicted_right)
    for given in (labels, np.eye(5)[labels]):
        lost = given_up(np.array(weights)[labels], (logits, given))
        assert lost.shape == (5,) and np.flatnonzero(lost).tolist() == expected


@pytest.mark.parametrize(("trained", "lost"), [(0.1, True), (0.3, False)])
def test_two_clean_examples_are_enough_if_the_training_examples_weigh_little_too(trained, lost):
    clean = np.eye(2)[[0, 0, 0, 0]], np.array([0, 0, 1, 1])
    train = np.array([0.9, 0.9, trained]), np.array([0, 0, 1])
    weights = np.array([0.8, 0.8, 0.0, 0.0])
    np.testing.assert_array_equal(given_up(weights, clean, train), [False, lost])
    assert not given_up(weights, clean).any()


def test_a_class_of_two_that_one_logit_tells_apart_is_given_up():
    logits = np.array([[-1.0]] * 10)
    labels = np.arange(2).repeat(5)
    lost = given_up(np.array([0.9, 0.1])[labels], (logits, labels))
    np.testing.assert_array_equal(lost, [False, True])
