"""A learned learning rate: hand values, finite differences, and what it is kept in."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.methods.hyper_parameters.hyper_parameter_problems import (
    central_differences,
    compiled,
    line,
    meta_gradient,
    one_example,
    squared,
    stateless,
)
from tests.models import CLASSIFIERS, element, mlp
from tf_mwn import HypergradientDescent
from tf_mwn.engine.optimizers import CoupledSGD

L = keras.layers


def test_rate_by_hand():
    """w goes from 1 to 0.9, where u = 0.9: <u, -0.1> = -0.09, and Θ grows by that."""
    model = compiled(HypergradientDescent(line(1.0)), loss=squared)
    model.train_step(one_example())
    factor = model.training_objective.values_now
    np.testing.assert_allclose(factor(), [1.0])
    model.train_step(one_example())
    np.testing.assert_allclose(factor(), [np.exp(0.09)], rtol=1e-5)
    np.testing.assert_allclose(model.optimizer.learning_rate, 0.1 * np.exp(0.09), rtol=1e-5)
    np.testing.assert_allclose(
        model.classifier.get_weights()[0], [[0.9 * (1 - 0.1 * np.exp(0.09))]], rtol=1e-5
    )


def test_rate_of_the_papers_gradient_by_hand():
    """Training wants y = 3: w goes from 1 to 1.2, where its gradient is -1.8."""
    model = compiled(HypergradientDescent(line(1.0), "training"), loss=squared)
    features, labels = one_example(3.0)
    data = {k: v for k, v in features.items() if "meta" not in k}, labels
    for _ in range(2):
        model.train_step(data)
    factor = model.training_objective.values_now()
    np.testing.assert_allclose(factor, [np.exp(1.8 * 0.2)], rtol=1e-5)
    assert "meta_loss" not in [metric.name for metric in model.metrics]


OPTIMIZERS = {
    "SGD": lambda: keras.optimizers.SGD(0.3),
    "decoupled decay": lambda: keras.optimizers.SGD(0.3, weight_decay=0.1),
    "coupled decay": lambda: CoupledSGD(0.3, coupled_weight_decay=0.1),
    "Adam": lambda: keras.optimizers.Adam(0.03),
    "schedule": lambda: keras.optimizers.SGD(
        keras.optimizers.schedules.PiecewiseConstantDecay([0], [0.3, 0.03])
    ),
}


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", ["mlp", "cnn_with_batch_norm"])
def test_rate_equals_finite_differences(name, optimizer):
    build, shapes = CLASSIFIERS[name]
    features, labels = element(shapes)

    def after_a_step(theta, meta_rate=0.0):
        keras.utils.set_random_seed(0)
        model = HypergradientDescent(build())
        compiled(model, OPTIMIZERS[optimizer](), meta_rate=meta_rate)
        model.meta_learner.theta.assign(theta)
        model.train_step((features, labels))
        return model

    def meta_loss(theta):
        network = after_a_step(theta).classifier
        weights = [tf.convert_to_tensor(v) for v in network.trainable_variables]
        return stateless(network, weights, features["meta_inputs"], features["meta_labels"])

    ours = meta_gradient(after_a_step([0.0]), features, labels)
    assert abs(ours[0]) > 1e-8
    np.testing.assert_allclose(ours, central_differences(meta_loss, 1), rtol=1e-6, atol=1e-10)


def test_weights_given_later_are_no_step():
    model = compiled(HypergradientDescent(line(1.0)), loss=squared)
    model.classifier.set_weights([np.array([[5.0]])])
    model.train_step(one_example())
    np.testing.assert_array_equal(model.meta_learner.theta, [0.0])


@pytest.mark.parametrize(("rate", "grows"), [(1e-3, True), (1.9, False)])
def test_a_small_rate_grows_and_one_that_overshoots_falls(rate, grows):
    model = compiled(
        HypergradientDescent(line(1.0)), keras.optimizers.SGD(rate), squared, meta_rate=0.1
    )
    for _ in range(10):
        model.train_step(one_example())
    assert (model.training_objective.values_now()[0] > 1) == grows


def test_a_rate_that_is_a_function_is_refused():
    with pytest.raises(TypeError, match="expected a number or a .*Schedule as learning rate"):
        compiled(HypergradientDescent(mlp()), keras.optimizers.SGD(lambda: 0.1))


def test_a_loaded_model_goes_on_at_the_learned_rate(tmp_path):
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5)
    model = compiled(HypergradientDescent(mlp()), keras.optimizers.SGD(schedule))
    features, labels = element([(5,)])
    for _ in range(3):
        model.train_step((features, labels))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    expected = schedule(3) * model.training_objective.values_now()[0]
    for either in (model, loaded):
        np.testing.assert_allclose(either.optimizer.learning_rate, expected, rtol=1e-6)
    assert expected != schedule(3)


def test_an_unknown_set_is_refused():
    with pytest.raises(ValueError, match="expected one of meta, training"):
        HypergradientDescent(mlp(), "test")


def test_the_meta_gradient_needs_a_meta_set():
    features, labels = one_example()
    data = {k: v for k, v in features.items() if "meta" not in k}, labels
    with pytest.raises(ValueError, match=r"meta_inputs.*paired_dataset"):
        compiled(HypergradientDescent(line(1.0)), loss=squared).train_step(data)
