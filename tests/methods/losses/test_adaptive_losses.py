"""Adaptive losses: their meta gradient by two other routes, bounds, limits."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.methods.losses.learned_hyper_parameters import (
    CASES,
    adaptive,
    engine_gradient,
    meta_loss,
    trained_weights,
)
from tests.models import element, mlp
from tf_mwn.methods.losses import robust_losses
from tf_mwn.methods.losses.adaptive_losses import adaptive_poly_soft

every = pytest.mark.parametrize("name", CASES)


@every
@pytest.mark.usefixtures("float64")
def test_the_meta_gradient_is_that_of_tape_of_tape_and_of_finite_differences(name):
    _, function, bounds = CASES[name]
    model = adaptive(name)
    features, labels = element([(5,)])
    theta = model.meta_learner.trainable_variables
    assert [v.name for v in theta] == list(bounds)
    gradient = engine_gradient(model, features, labels)

    values = {v.name: tf.convert_to_tensor(v) for v in theta}
    with tf.GradientTape() as tape:
        tape.watch(values)
        value = meta_loss(model, function, values, features, labels)
    expected = tape.gradient(value, values)
    for variable, g in zip(theta, gradient, strict=True):
        assert abs(float(g)) > 1e-8  # not trivially equal
        np.testing.assert_allclose(g, expected[variable.name], rtol=1e-8)

        def moved(step, name=variable.name):
            there = {**values, name: values[name] + step}
            return float(meta_loss(model, function, there, features, labels))

        difference = (moved(1e-5) - moved(-1e-5)) / 2e-5
        np.testing.assert_allclose(g, difference, rtol=1e-5, atol=1e-10)


def difference_to_the_fixed_loss(name):
    keras.utils.set_random_seed(1)
    learned = adaptive(name, meta_rate=0.0)
    keras.utils.set_random_seed(1)
    fixed = getattr(robust_losses, name)(mlp(), **CASES[name][0])
    fixed.compile(keras.optimizers.SGD(0.3))
    pairs = zip(trained_weights(learned), trained_weights(fixed), strict=True)
    return max(np.abs(a - b).max() for a, b in pairs)


@every
def test_a_meta_rate_of_zero_is_the_fixed_loss(name):
    assert difference_to_the_fixed_loss(name) <= 1e-6


@every
@pytest.mark.usefixtures("float64")
def test_a_meta_rate_of_zero_is_the_fixed_loss_in_double_precision(name):
    assert difference_to_the_fixed_loss(name) <= 1e-12


@every
def test_bounds_hold_in_training(name):
    """One huge step of Θ in either direction: every hyper-parameter stops at one of its ends."""
    features, labels = element([(5,)], size=12)
    ends = []
    for rate in (1e9, -1e9):
        keras.utils.set_random_seed(1)
        model = adaptive(name, meta_rate=0.0)
        model.meta_optimizer.learning_rate = rate
        model.train_step((features, labels))
        ends.append([float(v) for v in model.meta_learner.trainable_variables])
        assert np.isfinite(engine_gradient(model, features, labels)).all(), "also at the bounds"
        assert np.isfinite(model.classifier.get_weights()[0]).all()
    expected = list(CASES[name][2].values())
    np.testing.assert_allclose(np.sort(ends, axis=0).T, expected, rtol=1e-6)


@every
def test_gradients_are_finite_where_every_loss_is_far_beyond(name):
    """Losses of a million: beyond λ, and p_y = 0 in every precision."""
    model = adaptive(name)
    features, labels = element([(5,)])
    *_, kernel, bias = model.classifier.trainable_variables
    kernel.assign(tf.zeros_like(kernel))
    bias.assign([1e6, -1e6, -1e6])
    labels = tf.ones_like(labels)
    gradient = engine_gradient(model, features, labels)
    assert np.isfinite(gradient).all()
    if name == "poly_soft":
        np.testing.assert_array_equal(gradient, np.zeros(2))


def test_the_start_of_lambda_suits_any_number_of_classes():
    for classes, start in ((3, 5.0), (148, 5.0), (200, 1.5 * np.log(200))):
        model = adaptive_poly_soft(mlp(), num_classes=classes)
        assert float(model.meta_learner.scalars()["lambda"]) == pytest.approx(start)
    with pytest.raises(ValueError, match="lambda_: expected a value in"):
        adaptive_poly_soft(mlp(), num_classes=200, poly_soft_lambda=4.0)
