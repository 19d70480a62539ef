"""Meta-Weight-Net's step: hand values, invariants, and one device against two."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import CLASSIFIERS, element, elements, mlp
from tf_mwn.engine.linearise import Linearisation
from tf_mwn.methods.meta_weight_net.meta_weight_net import MetaWeightNet
from tf_mwn.training.cross_entropy import CrossEntropy
from tf_mwn.training.robust_model import RobustModel

L = keras.layers


def constant_weight(model, value):
    """Makes V the constant `value`, whatever the loss."""
    *_, kernel, bias = model.weight_net.trainable_variables
    kernel.assign(tf.zeros_like(kernel))
    bias.assign(tf.fill(bias.shape, float(np.log(value / (1 - value)))))


def sgd(**options):
    return keras.optimizers.SGD(0.1, **options)


@pytest.mark.parametrize("normalization", ["none", "sum", "sum_detached"])
def test_constant_weights_are_plain_sgd(normalization):
    """V = c: the paper's mean gives SGD at learning rate c·α; a sum normaliser cancels c."""
    robust = MetaWeightNet(mlp(), weight_normalization=normalization, weight_net_units=(3,))
    robust.compile(keras.optimizers.SGD(0.5), meta_optimizer=keras.optimizers.SGD(0.0))
    constant_weight(robust, 0.25)
    plain = CrossEntropy(keras.models.clone_model(robust.classifier))
    plain.classifier.set_weights(robust.classifier.get_weights())
    plain.compile(keras.optimizers.SGD(0.125 if normalization == "none" else 0.5))
    stream = elements([(5,)], steps=3)
    robust.fit(stream, verbose=0, shuffle=False)
    plain.fit(stream, verbose=0, shuffle=False)
    for a, b in zip(robust.classifier.weights, plain.classifier.weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_without_meta_steps_v_stays_as_drawn():
    """Interval 0 equals training with that V from a file: no meta pass, the same weights."""
    model = MetaWeightNet(mlp(), weight_normalization="sum", meta_interval=0)
    model.compile(sgd(), meta_optimizer=sgd())
    fixed = RobustModel(keras.models.clone_model(model.classifier), model.weight_net)
    fixed.classifier.set_weights(model.classifier.get_weights())
    fixed.compile(sgd())
    drawn = [v.numpy() for v in model.weight_net.trainable_variables]
    stream = elements([(5,)], steps=3)
    logs = model.fit(stream, verbose=0, shuffle=False).history
    fixed.fit(stream, verbose=0, shuffle=False)
    assert set(logs) == {"loss", "mean_weight"}
    for a, b in zip(model.weight_net.trainable_variables, drawn, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(model.classifier.weights, fixed.classifier.weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_actual_step_holds_v_constant_whatever_the_virtual_one_does():
    """∂/∂z of Σ v l / Σ v with the weights as numbers, by hand."""
    model = MetaWeightNet(mlp(), weight_normalization="sum", detach_loss=False)
    model.compile(sgd(), meta_optimizer=sgd())
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(4, 3)).astype("float32"), np.array([0, 1, 2, 1])
    batch = model.training_batch(labels, None)
    actual, weights = model.step_gradient(tf.constant(logits), batch)
    chances = tf.nn.softmax(logits).numpy() - np.eye(3)[labels]
    shares = weights.numpy() / weights.numpy().sum()
    np.testing.assert_allclose(actual, shares[:, None] * chances, rtol=1e-5, atol=1e-7)
    virtual, _ = model.logits_gradient(tf.constant(logits), batch)
    assert np.abs(virtual - actual).max() > 1e-4


def test_all_weights_zero_keeps_everything_finite():
    model = MetaWeightNet(mlp(), weight_normalization="sum")
    model.compile(sgd(), meta_optimizer=sgd())
    *_, kernel, bias = model.weight_net.trainable_variables
    kernel.assign(tf.zeros_like(kernel))
    bias.assign(tf.fill(bias.shape, -1e4))
    before = model.classifier.get_weights()
    logs = model.fit(elements([(5,)], 2), verbose=0, shuffle=False).history
    assert logs["mean_weight"] == [0.0]
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    for a, b in zip(before, model.classifier.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_batch_norm_moves_once_per_step_by_the_training_batch():
    build, shapes = CLASSIFIERS["cnn_with_batch_norm"]
    model = MetaWeightNet(build())
    model.compile(keras.optimizers.SGD(0.0), meta_optimizer=keras.optimizers.SGD(0.0))
    reference = keras.models.clone_model(model.classifier)
    reference.set_weights(model.classifier.get_weights())
    stream = elements(shapes, steps=3)
    model.fit(stream, verbose=0, shuffle=False)
    for features, _ in stream:
        reference(features["inputs"], training=True)
    state = [v for v in model.classifier.non_trainable_variables if "moving" in v.path]
    expected = [v for v in reference.non_trainable_variables if "moving" in v.path]
    assert len(state) == 2
    for a, b in zip(state, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_meta_loss_decreases_after_the_meta_update():
    """Re-evaluated on the same batches at the new Θ, for a small meta learning rate."""
    model = MetaWeightNet(mlp(), weight_normalization="sum")
    model.compile(keras.optimizers.SGD(0.5), meta_optimizer=keras.optimizers.SGD(0.05))
    features, labels = element([(5,)], size=32, meta_size=32)

    def meta_loss():
        linear = Linearisation(model.classifier, features["inputs"])
        model.meta_loss_metric.reset_state()
        batch = model.training_batch(labels, features["sample_id"])
        gradient = model.meta_gradient(linear, batch, features)
        return float(model.meta_loss_metric.result()), gradient

    before, gradient = meta_loss()
    model.meta_optimizer.apply(gradient, model.weight_net.trainable_variables)
    after, _ = meta_loss()
    slope = sum(float(tf.reduce_sum(g**2)) for g in gradient)
    assert after < before
    np.testing.assert_allclose(before - after, 0.05 * slope, rtol=0.05, atol=1e-7)


def test_meta_interval_updates_the_weight_net_every_kth_step():
    model = MetaWeightNet(mlp(), meta_interval=3)
    model.compile(sgd(), meta_optimizer=keras.optimizers.Adam(1e-2))
    model.fit(elements([(5,)], 7), verbose=0, shuffle=False)
    assert int(model.optimizer.iterations) == 7
    assert int(model.meta_optimizer.iterations) == 3  # steps 0, 3 and 6
    model.fit(elements([(5,)], 3), verbose=0, shuffle=False)
    assert int(model.meta_optimizer.iterations) == 4  # step 9: the phase runs on


# Every pair of values of two options, in six of the twelve combinations.
@pytest.mark.parametrize(
    ("normalization", "virtual_variables", "detach_loss"),
    [
        ("none", "all", True),
        ("none", "head", False),
        ("sum", "all", False),
        ("sum", "head", True),
        ("sum_detached", "all", True),
        ("sum_detached", "head", False),
    ],
)
def test_one_device_equals_two(mirrored, normalization, virtual_variables, detach_loss):
    """The update must not depend on the number of devices.

    Plain SGD on the weight net: Adam would hide a factor of the number of replicas.
    """

    def train():
        keras.utils.set_random_seed(1)
        model = MetaWeightNet(
            mlp(),
            weight_normalization=normalization,
            virtual_variables=virtual_variables,
            detach_loss=detach_loss,
        )
        model.compile(
            keras.optimizers.SGD(0.3, momentum=0.9),
            meta_optimizer=keras.optimizers.SGD(1.0),
            metrics=["accuracy"],
        )
        logs = model.fit(elements([(5,)], 20), verbose=0, shuffle=False).history
        return model.get_weights(), logs

    one, logs_of_one = train()
    with mirrored.scope():
        two, logs_of_two = train()
    for a, b in zip(one, two, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    for key in logs_of_one:
        np.testing.assert_allclose(logs_of_one[key], logs_of_two[key], rtol=1e-4)


def test_regularisers_enter_the_actual_gradient_alone():
    """An L2 regulariser of the user's model shrinks it; it does not touch the meta gradient."""

    def classifier(strength):
        keras.utils.set_random_seed(2)
        inputs = keras.Input((5,))
        return keras.Model(
            inputs, L.Dense(3, kernel_regularizer=keras.regularizers.L2(strength))(inputs)
        )

    nets = {}
    for strength in (0.0, 0.5):
        model = MetaWeightNet(classifier(strength))
        model.compile(sgd(), meta_optimizer=keras.optimizers.SGD(1.0))
        start = model.classifier.get_weights()[0]
        model.fit(elements([(5,)], 1), verbose=0, shuffle=False)
        nets[strength] = model.weight_net.get_weights(), model.classifier.get_weights()[0]
    for a, b in zip(nets[0.0][0], nets[0.5][0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    # d/dw of s·w² is 2 s w, at learning rate 0.1.
    np.testing.assert_allclose(nets[0.0][1] - nets[0.5][1], 0.1 * 2 * 0.5 * start, rtol=1e-4)


def test_a_virtual_gradient_through_v_is_not_that_of_the_step():
    with pytest.raises(ValueError, match="reuse_gradient: expected False with detach_loss=False"):
        MetaWeightNet(mlp(), detach_loss=False, reuse_gradient=True)
