"""Values by hand, limits and invariants of every weighting function."""

import math

import numpy as np
import pytest
import tensorflow as tf

from tf_mwn.losses.poly_soft import poly_soft_of_loss
from tf_mwn.methods.rules import focal_weights, robust_statistics, self_paced
from tf_mwn.methods.rules.ada_boost import samme
from tf_mwn.methods.rules.class_priors import class_prior_weights
from tf_mwn.methods.rules.hard_mining import hard_mining, minority_classes
from tf_mwn.methods.rules.prediction_variance import History, prediction_variance
from tf_mwn.methods.rules.random_weights import rectified_gaussian
from tf_mwn.methods.rules.resampling import resampled_rows


def f64(values):
    return tf.constant(values, tf.float64)


def test_values_by_hand():
    losses = f64([0.0, 0.5, 1.0, 2.0, 3.0])
    np.testing.assert_array_equal(self_paced.self_paced(losses, lambda_=1.0), [1, 1, 1, 0, 0])
    np.testing.assert_allclose(self_paced.linear(losses, lambda_=2.0), [1, 0.75, 0.5, 0, 0])
    expected = [1, 0.75**0.5, 0.5**0.5, 0, 0]
    np.testing.assert_allclose(self_paced.polynomial(losses, lambda_=2.0, d=3.0), expected)
    expected = [1, (4 / 4.5) ** 2, (4 / 5) ** 2, (4 / 6) ** 2, (4 / 7) ** 2]
    np.testing.assert_allclose(robust_statistics.geman_mcclure(losses, sigma=2.0), expected)
    np.testing.assert_allclose(focal_weights.focal_modulator(f64([math.log(2)]), alpha=2.0), [0.25])


def test_published_weights_of_linear_weighting():
    """λ = ln 10: p_y of 0.9, 0.5 and 0.1."""
    weights = self_paced.linear(-tf.math.log(f64([0.9, 0.5, 0.1])), lambda_=math.log(10))
    np.testing.assert_allclose(weights, [0.9542425, 0.6989700, 0], atol=1e-7)


def test_limits():
    losses = f64([0.1, 1.0, 2.4, 2.6, 9.0])
    np.testing.assert_array_equal(focal_weights.focal_modulator(losses, alpha=0.0), np.ones(5))
    steep = self_paced.polynomial(losses, lambda_=2.5, d=1e7)
    np.testing.assert_allclose(steep, self_paced.self_paced(losses, lambda_=2.5), atol=1e-6)
    np.testing.assert_allclose(self_paced.linear(losses, lambda_=1e9), np.ones(5), atol=1e-7)
    np.testing.assert_allclose(robust_statistics.geman_mcclure(losses, sigma=1e6), np.ones(5))
    np.testing.assert_allclose(
        robust_statistics.generalized_cross_entropy_weight(losses, q=1e-9), np.ones(5)
    )


def test_a_weight_is_the_slope_of_the_loss_behind_it():
    losses = f64([0.1, 1.0, 2.4, 2.6, 9.0])
    with tf.GradientTape() as tape:
        tape.watch(losses)
        bent = poly_soft_of_loss(losses, lambda_=2.5, d=3.0)
    weights = self_paced.polynomial(losses, lambda_=2.5, d=3.0)
    np.testing.assert_allclose(weights, tape.gradient(bent, losses), rtol=1e-12)


def test_extreme_losses_give_finite_weights():
    losses = tf.constant([0.0, 1e-30, 1e4, 3e38])
    for weights in (
        self_paced.polynomial(losses, lambda_=5.0, d=1.01),
        self_paced.polynomial(losses, lambda_=5.0, d=50.0),
        focal_weights.focal_modulator(losses, alpha=2.0),
        robust_statistics.geman_mcclure(losses, sigma=0.1),
        robust_statistics.generalized_cross_entropy_weight(losses, q=1.0),
    ):
        assert np.all((weights >= 0) & (weights <= 1))


def test_ages():
    age = float(self_paced.growing_age(f64(3.0), lambda_=2.0, growth=1.1))
    assert age == pytest.approx(2 * 1.1**3)
    losses = f64([5.0, 1.0, 4.0, 2.0, 3.0])
    fractions = (0.01, 0.2, 0.6, 0.61, 1.0)
    assert [float(self_paced.quantile(losses, f)) for f in fractions] == [1, 1, 3, 4, 5]
    age = self_paced.quantile(losses, 0.6)
    assert tf.reduce_sum(self_paced.self_paced(losses, lambda_=age)) == 3


def test_hard_mining_keeps_every_positive():
    losses, positive = f64([0.0, 0.4, 0.6, 9.0]), tf.constant([True, False, False, True])
    np.testing.assert_array_equal(hard_mining(losses, positive, lambda_=0.5), [1, 0, 1, 1])
    np.testing.assert_array_equal(minority_classes([100, 51, 50, 49, 1]), [0, 0, 0, 1, 1])
    assert not minority_classes([67, 66, 67]).any()


def test_prediction_variance_is_that_of_the_whole_history():
    rng = np.random.default_rng(0)
    values = rng.random((5, 4))
    values[:, 3] = 0.3
    history = History(*(tf.zeros(4, tf.float64) for _ in range(3)))
    for row in values:
        history = history.extended(f64(row), tf.ones(4, tf.float64))
    variance = values.var(axis=0, ddof=1)
    expected = np.sqrt(variance + variance**2 / 4) + 0.2
    np.testing.assert_allclose(prediction_variance(history, epsilon=0.2), expected, rtol=1e-12)
    assert float(prediction_variance(history, epsilon=0.2)[3]) == pytest.approx(0.2, abs=1e-8)


def test_a_short_or_skipped_history_is_no_nan():
    history = History(*(tf.zeros(2, tf.float64) for _ in range(3)))
    history = history.extended(f64([0.7, 0.9]), f64([1.0, 0.0]))
    np.testing.assert_array_equal(history.count, [1, 0])
    np.testing.assert_array_equal(history.mean, [0.7, 0.0])
    np.testing.assert_allclose(prediction_variance(history, epsilon=0.2), [0.2, 0.2])


@pytest.mark.parametrize(("classes", "share"), [(2, 1 / 2), (10, 9 / 10)])
def test_one_round_of_boosting_gives_the_misclassified_their_share(classes, share):
    rng = np.random.default_rng(0)
    weights, wrong = f64(rng.random(50) + 0.5), f64(rng.random(50) < 0.2)
    after = samme(weights, wrong, tf.ones_like(weights), classes).numpy()
    assert after @ wrong.numpy() / after.sum() == pytest.approx(share)
    assert after.mean() == pytest.approx(1)


def test_boosting_by_hand():
    """err = ¼, a = ln 3: the wrong one weighs 3 before scaling by 4/6."""
    after = samme(tf.ones(4), tf.constant([1.0, 0, 0, 0]), tf.ones(4), 2)
    np.testing.assert_allclose(after, [2, 2 / 3, 2 / 3, 2 / 3], rtol=1e-6)


def test_boosting_at_its_ends():
    weights, ones = tf.constant([1.5, 0.5, 1.0]), tf.ones(3)
    np.testing.assert_array_equal(samme(weights, tf.zeros(3), ones, 3), weights)
    chance = tf.constant([1.0, 1.0, 0.0])  # err = 2/3 = 1 - 1/C
    np.testing.assert_array_equal(samme(weights, chance, ones, 3), ones)
    unseen = samme(ones, tf.constant([1.0, 0, 0]), tf.constant([1.0, 1, 0]), 3)
    assert unseen[2] == 1 and np.isfinite(unseen).all()


def test_class_priors_have_mean_one_over_the_training_set():
    counts = np.array([500, 60, 20, 5])
    weights = class_prior_weights(counts)
    assert (counts @ weights) / counts.sum() == pytest.approx(1)
    np.testing.assert_allclose(weights[3] / weights[0], 100)
    assert class_prior_weights([1, 10_000], clip=100).max() == 100


def test_random_weights_are_a_function_of_seed_and_step():
    draw = rectified_gaussian(3, tf.constant(7), 20_000, tf.float32).numpy()
    np.testing.assert_array_equal(draw, rectified_gaussian(3, tf.constant(7), 20_000, tf.float32))
    for seed, step in ((3, 8), (4, 7)):
        other = rectified_gaussian(seed, tf.constant(step), 20_000, tf.float32)
        assert abs(np.corrcoef(draw, other)[0, 1]) < 0.05
    assert abs((draw == 0).mean() - 0.5) < 0.02
    assert draw.mean() == pytest.approx((2 * math.pi) ** -0.5, abs=0.02)
    assert (draw**2).mean() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("kind", ["over", "under"])
def test_resampling_balances_the_classes(kind):
    labels = np.repeat([0, 1, 2, 3], [500, 60, 20, 5])
    rows = resampled_rows(labels, kind, np.random.default_rng(0))
    counts = np.bincount(labels[rows])
    if kind == "under":
        np.testing.assert_array_equal(counts, [5, 5, 5, 5])
        assert len(np.unique(rows)) == len(rows)
        return
    assert len(rows) == len(labels) and counts.max() - counts.min() <= 1
    times = np.bincount(rows, minlength=len(labels))
    for c in range(4):
        own = times[labels == c]
        assert own.max() - own.min() <= 1


def test_over_sampling_of_balanced_classes_keeps_every_example():
    rows = resampled_rows(np.arange(60) % 3, "over", np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(rows), np.arange(60))


def test_resampling_follows_its_generator_and_refuses_other_kinds():
    labels = np.repeat([0, 1], [50, 5])
    draws = [resampled_rows(labels, "under", np.random.default_rng(s)) for s in (1, 1, 2)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])
    with pytest.raises(ValueError, match="expected one of over, under, received 'smote'"):
        resampled_rows(labels, "smote", np.random.default_rng(0))
