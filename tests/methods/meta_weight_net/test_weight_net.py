"""V(loss; Θ): architecture, initialisation, range."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_mwn import WeightNet
from tf_mwn.engine.objective import TrainingBatch

# The architectures of the paper's ablation and their numbers of parameters.
ABLATION = {
    (50,): 151,
    (100,): 301,
    (200,): 601,
    (100, 100): 10401,
    (10, 10): 141,
    (10, 10, 10): 251,
}


@pytest.mark.parametrize("units", ABLATION)
def test_ablation_architectures(units):
    net = WeightNet(units)
    assert net.count_params() == ABLATION[units]
    shapes = [tuple(v.shape) for v in net.trainable_variables]
    assert shapes[:2] == [(1, units[0]), (units[0],)] and shapes[-2:] == [(units[-1], 1), (1,)]


def test_initialisation_is_uniform_in_one_over_root_fan_in():
    net = WeightNet((400, 400))
    for variable, fan_in in zip(net.trainable_variables, (1, 1, 400, 400, 400, 400), strict=True):
        values = np.abs(keras.ops.convert_to_numpy(variable))
        assert values.max() <= fan_in**-0.5
        if values.size >= 400:
            assert (
                values.max() > 0.95 * fan_in**-0.5 and abs(values.mean() * fan_in**0.5 - 0.5) < 0.05
            )


def test_kinks_spread_over_the_losses():
    """Keras' zero biases would put every kink at loss 0."""
    kernel, bias, *_ = [keras.ops.convert_to_numpy(v) for v in WeightNet().trainable_variables]
    kinks = -bias / kernel[0]
    assert np.sum((kinks > 0.05) & (kinks < 5)) > 20


def test_weights_are_near_a_half_at_first_and_always_in_the_unit_interval():
    net = WeightNet()
    weights = net(tf.linspace(0.0, 5.0, 50))
    assert np.abs(weights - 0.5).max() < 0.35
    assert np.all((net(tf.constant([0.0, 1e4, 1e30])) >= 0) & (net(tf.constant([1e4])) <= 1))


def test_shape_of_the_losses_is_kept():
    net = WeightNet()
    column, row = net(tf.constant([[0.5], [2.0]])), net(tf.constant([0.5, 2.0]))
    assert column.shape == (2, 1) and row.shape == (2,)
    np.testing.assert_array_equal(column[:, 0], row)


def test_by_hand():
    """V(l) = sigmoid(relu(2 l - 1) - 0.5) for one hidden unit."""
    net = WeightNet((1,))
    for variable, value in zip(net.trainable_variables, (2.0, -1.0, 1.0, -0.5), strict=True):
        variable.assign(tf.fill(variable.shape, value))
    expected = 1 / (1 + np.exp(-np.array([-0.5, -0.5, 0.5, 2.5])))
    np.testing.assert_allclose(net(tf.constant([0.0, 0.5, 1.0, 2.0])), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("normalization", "expected"),
    [("none", (0.25 * 1 + 0.75 * 3) / 2), ("sum", 2.5), ("sum_detached", 2.5)],
)
def test_objective_by_hand(normalization, expected):
    net = WeightNet((1,), normalization)
    net.call = lambda losses: tf.constant([0.25, 0.75])
    batch = TrainingBatch(None, lambda labels, logits: tf.constant([1.0, 3.0]))
    value, weights = net.objective(None, batch)
    np.testing.assert_allclose(value, expected)
    np.testing.assert_allclose(weights, [0.25, 0.75])


def test_config_round_trip():
    net = WeightNet((7, 3), "sum", detach_loss=False)
    again = WeightNet.from_config(net.get_config())
    assert (again.units, again.normalization, again.detach_loss) == ((7, 3), "sum", False)
