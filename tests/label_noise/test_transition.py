"""Transition matrices: worked by hand, recovered, and by a second route."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import softmax

from tf_mwn.label_noise import transition
from tf_mwn.label_noise.class_means import class_means

NOISE = np.array([[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.2, 0.0, 0.8]])


def noisy(size, seed=0):
    """True classes and labels drawn by `NOISE`."""
    rng = np.random.default_rng(seed)
    true = rng.integers(0, 3, size)
    return true, (NOISE[true].cumsum(axis=1) < rng.random((size, 1))).sum(axis=1), rng


def test_certain_probabilities_count():
    true, labels = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 1, 2])
    matrix = transition.estimate_transition(np.eye(3)[true], labels)
    # Each row has one pseudo-count of 0.1, spread over three entries.
    third = 0.1 / 3
    expected = (np.array([[2, 1, 0], [0, 2, 0], [0, 0, 1]]) + third) / [[3.1], [2.1], [1.1]]
    np.testing.assert_allclose(matrix, expected, rtol=1e-12)


def test_sums_of_each_label_are_those_of_dense_indicators():
    _, labels, rng = noisy(500)
    p = rng.dirichlet([0.3] * 4, 500).astype(np.float32)  # no label is of class 3
    given, matrix = np.eye(4)[labels], 0.5 * np.eye(4) + 0.5 / 4
    for _ in range(20):
        joint = p * matrix.T[labels]
        matrix = class_means(joint / joint.sum(axis=1, keepdims=True), given, 0.1)
    found = transition.estimate_transition(p, labels, steps=20, tolerance=0.0)
    np.testing.assert_allclose(found, matrix, rtol=1e-12)


def test_estimate_is_the_likeliest_matrix():
    true, labels, rng = noisy(400)
    p = softmax(3 * np.eye(3)[true] + rng.normal(size=(400, 3)), axis=1)

    def loss(z):
        matrix = softmax(z.reshape(3, 3), axis=1)
        # The pseudo-counts are a Dirichlet prior.
        likelihood = np.log((p * matrix.T[labels]).sum(axis=1)).sum()
        return -likelihood - 0.1 / 3 * np.log(matrix).sum()

    found = softmax(minimize(loss, np.zeros(9), tol=1e-12).x.reshape(3, 3), axis=1)
    matrix = transition.estimate_transition(p, labels, steps=5000, tolerance=1e-10)
    np.testing.assert_allclose(matrix, found, atol=1e-4)


def test_noise_is_recovered_from_calibrated_probabilities():
    _, _, rng = noisy(1)
    p = rng.dirichlet([0.3] * 3, 20_000)
    true = (p.cumsum(axis=1) < rng.random((20_000, 1))).sum(axis=1)
    labels = (NOISE[true].cumsum(axis=1) < rng.random((20_000, 1))).sum(axis=1)
    matrix = transition.estimate_transition(p, labels)
    np.testing.assert_allclose(matrix, NOISE, atol=0.02)
    assert (matrix > 0).all()


def test_held_out_confusion_is_the_mean_of_each_class():
    p = np.array([[0.8, 0.2], [0.6, 0.4], [0.1, 0.9]])
    confusion = transition.held_out_confusion(p, np.array([0, 0, 1]))
    np.testing.assert_allclose(confusion, [[1.45 / 2.1, 0.65 / 2.1], [0.15 / 1.1, 0.95 / 1.1]])


def test_the_estimate_that_sees_more_noise_is_chosen():
    true, labels, _ = noisy(3000)
    robust, memorised = np.eye(3)[true], np.eye(3)[labels]
    meta = np.arange(3).repeat(50)
    found = transition.choose_transition(robust, labels, np.eye(3)[meta], meta)
    assert found.source == "training labels"
    np.testing.assert_allclose(found.matrix, NOISE, atol=0.03)
    assert found.planted is found.matrix
    # A classifier that fits noisy labels predicts their distribution on examples it has not seen.
    found = transition.choose_transition(memorised, labels, NOISE[meta], meta)
    assert found.source == "meta set"
    np.testing.assert_allclose(found.matrix, NOISE, atol=0.003)
    alone = transition.choose_transition(memorised, labels)
    assert alone.source == "training labels" and np.trace(alone.matrix) > 2.99
    # Errors are planted between what both estimates find: none in the labels here.
    np.testing.assert_allclose(found.planted, (NOISE + np.eye(3)) / 2, atol=0.003)


def test_log_odds_by_bayes_rule():
    p, labels = np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]), np.array([1, 2])
    noise = NOISE + 1e-9
    scores = transition.log_posterior(np.log(p), noise, labels)
    odds = transition.log_odds(scores, labels)
    # P(label | true) P(true), by hand: 0.3 * 0.6 against 0.5 * 0.3; 0.8 * 0.8 against 0.1 * 0.4.
    np.testing.assert_allclose(odds, [np.log(0.18 / 0.15), np.log(0.64 / 0.04)], rtol=1e-6)


def test_log_odds_do_not_saturate():
    scores = np.array([[0.0, -1000.0], [0.0, -2000.0]])
    np.testing.assert_allclose(transition.log_odds(scores, np.array([1, 1])), [-1000, -2000])


def test_a_class_without_clean_examples_has_the_row_of_the_training_labels():
    true, labels, _ = noisy(3000)
    some = np.arange(2).repeat(50)  # none of class 2
    # A uniform row would be taken for noise.
    found = transition.choose_transition(np.eye(3)[true], true, np.eye(3)[some], some)
    assert np.trace(found.matrix) > 2.99
    memorised = np.eye(3)[labels]
    found = transition.choose_transition(memorised, labels, NOISE[some], some)
    alone = transition.estimate_transition(memorised, labels)
    assert found.source == "meta set"
    np.testing.assert_array_equal(found.matrix[2], alone[2])
    np.testing.assert_array_equal(found.planted[2], alone[2])
