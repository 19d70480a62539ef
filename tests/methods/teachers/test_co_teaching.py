"""Co-teaching: who picks what for whom, and when it is two plain trainings."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import mlp
from tf_mwn.engine.objective import TrainingBatch
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.methods import registry
from tf_mwn.methods.spec.facts import TrainingFacts
from tf_mwn.methods.teachers.co_teaching import CoTeaching, SmallLossSelection, small_losses
from tf_mwn.settings.config import Config
from tf_mwn.training.cross_entropy import CrossEntropy

STEPS, BATCH = 3, 10
rng = np.random.default_rng(1)
X = rng.normal(size=(STEPS * BATCH, 4)).astype("float32")
Y = rng.integers(0, 3, STEPS * BATCH)


def stream(x=X, y=Y, size=BATCH):
    data = tf.data.Dataset.from_tensor_slices((x, y, np.arange(len(y)))).batch(size)
    return data.map(lambda x, y, i: ({"inputs": x, "sample_id": i}, y))


def linear(seed, features=4):
    inputs = keras.Input((features,))
    drawn = keras.initializers.RandomNormal(seed=seed)
    return keras.Model(inputs, keras.layers.Dense(3, kernel_initializer=drawn)(inputs))


def fitted(model, elements, epochs=1, rate=0.3, momentum=0.9):
    model.compile(keras.optimizers.SGD(rate, momentum=momentum), run_eagerly=True)
    model.fit(elements, epochs=epochs, verbose=0, shuffle=False)
    return model


def test_the_schedule_by_hand():
    """τ = 0.4 and T_k = 4: the end points, half way, the exponent, and after."""
    line = SmallLossSelection(5, 10, 0.4, 4)
    square = SmallLossSelection(5, 10, 0.4, 4, exponent=2.0)
    steps = tf.constant([0, 9, 10, 20, 39, 40, 1000])
    np.testing.assert_allclose(line.forgotten(steps), [0, 0, 0.1, 0.2, 0.3, 0.4, 0.4], rtol=1e-6)
    quarters = np.array([0, 0, 1, 2, 3, 4, 4]) / 4
    np.testing.assert_allclose(square.forgotten(steps), 0.4 * quarters**2, rtol=1e-6)


@pytest.mark.parametrize(
    ("rate", "size", "number"), [(0.4, 100, 60), (0.1, 10, 9), (0.45, 128, 70), (0.99, 7, 1)]
)
def test_how_many_are_selected(rate, size, number):
    """int(R n), though 1 - 0.4 is no float, and never none."""
    selection = SmallLossSelection(200, 1, rate, 1)
    labels = tf.zeros(size, tf.int32)
    batch = TrainingBatch(labels, cross_entropy, tf.range(size), tf.constant(1))
    losses = tf.random.stateless_uniform((size, 2), seed=(1, 2))
    selected = selection.selected(losses, batch).numpy()
    np.testing.assert_array_equal(selected.sum(axis=0), [number, number])
    for column in (0, 1):
        smallest = np.sort(np.argsort(losses[:, column])[:number])
        np.testing.assert_array_equal(np.flatnonzero(selected[:, column]), smallest)


def test_equal_losses_are_taken_in_order_and_never_too_many():
    losses = tf.constant([[1.0, 2.0], [1.0, 2.0], [0.5, 2.0], [1.0, 2.0]])
    expected = [[1, 1], [0, 1], [1, 0], [0, 0]]
    np.testing.assert_array_equal(small_losses(losses, 2), expected)


def test_forgetting_nothing_is_two_plain_trainings():
    """Each network ends where plain training from its initial weights ends."""
    keras.utils.set_random_seed(5)
    model = CoTeaching(mlp(features=4), len(Y), STEPS, noise_rate=0.0)
    plain = [CrossEntropy(keras.models.clone_model(net)) for net in (model.classifier, model.peer)]
    for alone, net in zip(plain, (model.classifier, model.peer), strict=True):
        alone.classifier.set_weights(net.get_weights())
    assert np.abs(plain[0].get_weights()[0] - plain[1].get_weights()[0]).max() > 0.1
    fitted(model, stream(), epochs=2)
    for alone, net in zip(plain, (model.classifier, model.peer), strict=True):
        fitted(alone, stream(), epochs=2)
        for a, b in zip(alone.classifier.get_weights(), net.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


def test_one_step_in_numpy():
    """Two linear models, forget(T) = 0.3: each moves by the mean gradient of the other's 7."""
    one, two = linear(1), linear(2)
    kernels = [net.get_weights()[0].astype("float64") for net in (one, two)]
    model = CoTeaching(one, len(Y), 1, noise_rate=0.3, co_teaching_gradual_epochs=1, peer=two)
    model.compile(keras.optimizers.SGD(0.5))
    model.optimizer.iterations.assign(1)  # the second epoch
    x, y = X[:BATCH], Y[:BATCH]
    model.fit(stream(x, y), verbose=0, shuffle=False)

    def gradients_and_losses(kernel):
        p = np.exp(x @ kernel)
        p /= p.sum(axis=1, keepdims=True)
        return p - np.eye(3)[y], -np.log(p[np.arange(BATCH), y])

    deltas, losses = zip(*map(gradients_and_losses, kernels), strict=True)
    chosen = [np.argsort(values)[:7] for values in losses]
    assert set(chosen[0]) != set(chosen[1])
    for net, kernel, delta, peers in zip(
        (one, two), kernels, deltas, reversed(chosen), strict=True
    ):
        expected = kernel - 0.5 * x[peers].T @ delta[peers] / 7
        np.testing.assert_allclose(net.get_weights()[0], expected, rtol=1e-5, atol=1e-6)
    share = sum(np.isin(np.arange(BATCH), rows) for rows in chosen) / 2
    weights = model.sample_weight(y, np.zeros((BATCH, 3), "float32"), np.arange(BATCH))
    np.testing.assert_array_equal(weights, share)


def test_each_network_steps_on_what_the_other_picks():
    """Example i is e_i, so row i of a kernel moves only if its network steps on example i.

    The first network finds examples 0 and 1 easy, the second 2 and 3.
    """
    networks = []
    for easy in ([0, 1], [2, 3]):
        network = linear(0, features=4)
        kernel = np.zeros((4, 3), "float32")
        kernel[easy, 0] = 2.0
        network.set_weights([kernel, np.zeros(3, "float32")])
        networks.append(network)
    options = {"noise_rate": 0.5, "co_teaching_gradual_epochs": 1, "peer": networks[1]}
    model = CoTeaching(networks[0], 4, 1, **options)
    before = [net.get_weights()[0] for net in networks]
    model.compile(keras.optimizers.SGD(0.1))
    model.optimizer.iterations.assign(1)
    elements = stream(np.eye(4, dtype="float32"), np.zeros(4, int), 4)
    model.fit(elements, verbose=0, shuffle=False)
    moved = [
        np.abs(net.get_weights()[0] - b).max(axis=1) > 0
        for net, b in zip(networks, before, strict=True)
    ]
    np.testing.assert_array_equal(moved, [[False, False, True, True], [True, True, False, False]])


def test_shares_are_those_of_the_last_visit():
    selection = SmallLossSelection(4, 1, 0.5, 1)
    logits = tf.zeros((2, 3))

    def batch(ids):
        return TrainingBatch(tf.constant([0, 0]), cross_entropy, tf.constant(ids), tf.constant(1))

    selection.record_selection(tf.constant([[1.0, 0.0], [0.0, 0.0]]), batch([3, 1]))
    np.testing.assert_array_equal(selection.objective(logits, batch([3, 1]))[1], [0.5, 0])
    np.testing.assert_array_equal(selection.objective(logits, batch([0, 2]))[1], [1, 1])
    selection.record_selection(tf.constant([[1.0, 1.0], [1.0, 0.0]]), batch([1, 0]))
    np.testing.assert_array_equal(selection.objective(logits, batch([1, 3]))[1], [1, 0.5])


def test_one_device_equals_two_with_ties(mirrored):
    """All losses of a network are equal at first: which are taken must not depend on replicas."""

    def train():
        networks = [linear(seed) for seed in (1, 2)]
        for network in networks:
            network.set_weights([np.zeros_like(w) for w in network.get_weights()])
        options = {"co_teaching_gradual_epochs": 1, "peer": networks[1]}
        model = CoTeaching(networks[0], len(Y), STEPS, 0.4, **options)
        model.compile(keras.optimizers.SGD(0.3, momentum=0.9))
        model.optimizer.iterations.assign(STEPS)
        model.fit(stream(), verbose=0, shuffle=False)
        return model.get_weights()

    one = train()
    with mirrored.scope():
        two = train()
    for a, b in zip(one, two, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_the_second_optimizer_follows_the_first_ones_learning_rate():
    model = CoTeaching(mlp(features=4), len(Y), STEPS, noise_rate=0.2)
    model.compile(keras.optimizers.Adam(1e-2, beta_1=0.8), run_eagerly=True)
    assert model.peer_optimizer is not model.optimizer and model.peer_optimizer.beta_1 == 0.8
    model.optimizer.learning_rate = 0.0
    before = model.peer.get_weights()
    model.fit(stream(), verbose=0, shuffle=False)
    for a, b in zip(before, model.peer.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert int(model.peer_optimizer.iterations) == STEPS


def test_a_network_that_starts_equal_is_refused():
    with pytest.raises(ValueError, match="peer: expected .* fixed seeds; pass a second"):
        CoTeaching(linear(3), 5, 1, noise_rate=0.2)
    assert CoTeaching(linear(3), 5, 1, noise_rate=0.2, peer=linear(4)).peer.built


def test_the_rate_may_be_given_where_the_noise_is_unknown():
    row = registry.find("co_teaching")
    facts = TrainingFacts(3, 5, np.array([2, 2, 1]), 1, 1, 5, 0, noise_rate=None)
    given = {**vars(Config()), "co_teaching_forget_rate": 0.3}
    model = registry.build(row, mlp(), given, facts)
    assert model.get_config()["co_teaching_forget_rate"] == 0.3
    with pytest.raises(ValueError, match="--noise_rate, or --co_teaching_forget_rate"):
        registry.build(row, mlp(), vars(Config()), facts)
    with pytest.raises(ValueError, match="co_teaching_forget_rate: expected a number"):
        CoTeaching(mlp(), 5, 1)
