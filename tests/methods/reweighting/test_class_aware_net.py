"""V(l, N_y; Θ): clusters, heads, and its equality with the plain weight net."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_mwn import ClassAwareNet, WeightNet
from tf_mwn.engine.objective import TrainingBatch
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.methods.reweighting.class_aware_net import clusters_of

LONG_TAIL = np.array([5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50])
LOSSES = tf.linspace(0.0, 6.0, 20)
LABELS = np.arange(20) % 10


def test_number_of_parameters():
    assert ClassAwareNet(LONG_TAIL).count_params() == 503  # 100 + 100 + 3·101
    assert ClassAwareNet(LONG_TAIL, clusters=1).count_params() == 301


def test_clusters_are_sorted_by_size_and_together():
    cluster = clusters_of(LONG_TAIL, 3)
    assert set(cluster) == {0, 1, 2} and np.all(np.diff(cluster) <= 0)
    np.testing.assert_array_equal(clusters_of(np.array([9, 500, 10, 501, 90]), 3), [0, 2, 0, 2, 1])


def test_fewer_sizes_than_clusters():
    with pytest.warns(UserWarning, match="clusters: expected at most 2.*received 3"):
        net = ClassAwareNet([5, 5, 100])
    assert net.clusters == 2 and net.count_params() == 402
    np.testing.assert_array_equal(net.cluster_of_class, [0, 0, 1])


def test_a_head_is_chosen_as_in_a_loop():
    net = ClassAwareNet(LONG_TAIL, units=(7, 5))
    kernel, bias, kernel2, bias2, heads, head_biases = map(np.array, net.trainable_variables)
    expected = []
    for loss, label in zip(LOSSES.numpy(), LABELS, strict=True):
        hidden = np.maximum(np.maximum(loss * kernel[0] + bias, 0) @ kernel2 + bias2, 0)
        k = net.cluster_of_class[label]
        expected.append(1 / (1 + np.exp(-(hidden @ heads[:, k] + head_biases[k]))))
    np.testing.assert_allclose(net(LOSSES, LABELS), expected, rtol=1e-5)
    one_hot = np.eye(10, dtype="float32")[LABELS]
    np.testing.assert_array_equal(net(LOSSES, one_hot), net(LOSSES, LABELS))
    np.testing.assert_array_equal(net(LOSSES, LABELS[:, None]), net(LOSSES, LABELS))


def test_gradients_reach_the_heads_of_the_batch_alone():
    net = ClassAwareNet(LONG_TAIL)
    labels = np.where(net.cluster_of_class == 1, 0, np.arange(10))  # no class of cluster 1
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(net(LOSSES[:10], labels))
    *shared, heads, biases = tape.gradient(value, net.trainable_variables)
    reached = np.any(np.array(heads) != 0, axis=0)
    np.testing.assert_array_equal(reached, [True, False, True])
    np.testing.assert_array_equal(np.array(biases) != 0, [True, False, True])
    assert all(np.any(np.array(g) != 0) for g in shared)


@pytest.mark.parametrize("normalization", ["none", "sum", "sum_detached"])
def test_one_cluster_is_the_plain_weight_net(normalization):
    net = ClassAwareNet(LONG_TAIL, clusters=1, normalization=normalization)
    plain = WeightNet(normalization=normalization)
    net.set_weights(plain.get_weights())
    logits = tf.constant(np.random.default_rng(0).normal(size=(20, 10)), tf.float32)
    batch = TrainingBatch(tf.constant(LABELS), cross_entropy)
    results = []
    for either in (net, plain):
        with tf.GradientTape() as tape:
            value, weights = either.objective(logits, batch)
        results.append([value, weights, *tape.gradient(value, either.trainable_variables)])
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(net.curve(LOSSES), plain.curve(LOSSES))


def test_several_clusters_have_no_one_curve():
    assert ClassAwareNet(LONG_TAIL).curve(LOSSES) is None


def test_theta_goes_over_to_another_number_of_classes():
    net, other = ClassAwareNet(LONG_TAIL), ClassAwareNet([10, 100, 1000, 1001])
    other.set_weights(net.get_weights())
    # Class 0 is the smallest of the other set, class 9 that of the first.
    smallest = other(LOSSES, tf.fill([20], 0))
    np.testing.assert_array_equal(smallest, net(LOSSES, tf.fill([20], 9)))


def test_config_round_trip():
    net = ClassAwareNet(LONG_TAIL, (7, 3), 2, "sum")
    again = ClassAwareNet.from_config(net.get_config())
    assert again.get_config() == net.get_config()
    np.testing.assert_array_equal(again.cluster_of_class, net.cluster_of_class)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"class_counts": [5]}, "class_counts: expected a count"),
        ({"class_counts": [5, -1]}, r"class_counts: .* received \[ 5. -1.\]"),
        ({"class_counts": [5, 9], "clusters": 0}, "clusters: expected an integer of at least 1"),
        ({"class_counts": [5, 9], "units": ()}, "units: expected at least one"),
        ({"class_counts": [5, 9], "units": (0,)}, "units: expected an integer of at least 1"),
        ({"class_counts": [5, 9], "normalization": "mean"}, "normalization: expected one of"),
    ],
)
def test_arguments_outside_their_sets(arguments, message):
    with pytest.raises(ValueError, match=message):
        ClassAwareNet(**arguments)


def test_initial_weights_are_near_a_half():
    keras.utils.set_random_seed(1)
    weights = ClassAwareNet(LONG_TAIL)(LOSSES, LABELS)
    assert np.abs(np.array(weights) - 0.5).max() < 0.35
