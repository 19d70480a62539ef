"""Fused batch norm against Keras' own, against plain formulas and finite differences."""

import threading

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import CLASSIFIERS, batch, cnn_with_batch_norm, element, mlp
from tf_mwn.engine import fused_batch_norm as fused_module
from tf_mwn.engine.fused_batch_norm import fused_batch_norm, normalised, plain_pullback
from tf_mwn.engine.linearise import Linearisation, functional_call
from tf_mwn.methods.meta_weight_net.meta_weight_net import MetaWeightNet
from tf_mwn.methods.reweighting.l2rw import L2RW
from tf_mwn.training.cross_entropy import CrossEntropy

L = keras.layers
EPSILON = 1e-3
AXES = (0, 1, 2)
KERAS_CALL = L.BatchNormalization.call


def plain(x, gamma, beta, epsilon):
    mean = tf.reduce_mean(x, AXES)
    variance = tf.reduce_mean(tf.square(x - mean), AXES)
    return gamma * (x - mean) * tf.math.rsqrt(variance + epsilon) + beta, mean, variance


def numbers(dtype, seed=0):
    """x, γ, β, a cotangent, and directions u_x, u_γ, u_β."""
    rng = np.random.default_rng(seed)
    shapes = [(6, 3, 4, 5), (5,), (5,), (6, 3, 4, 5), (6, 3, 4, 5), (5,), (5,)]
    arrays = [rng.normal(1.0, 2.0, shape).astype("float32") for shape in shapes]
    return [tf.cast(array, dtype) for array in arrays]


def derivatives(function, dtype):
    """Values, first, second and third derivatives, in everything that they depend on."""
    x, gamma, beta, cotangent, *u = numbers(dtype)
    with tf.GradientTape() as third:
        third.watch([x, gamma, cotangent, u])
        with tf.GradientTape() as second:
            second.watch([x, gamma, cotangent])
            with tf.GradientTape() as first:
                first.watch([x, gamma, beta])
                outputs, mean, variance = function(x, gamma, beta, EPSILON)
            pulled_back = first.gradient(outputs, [x, gamma, beta], cotangent)
        pushed = second.gradient(pulled_back, [cotangent, x, gamma], u)
    bent = third.gradient(pushed, [x, gamma, cotangent, *u[:2]], [cotangent, u[0], gamma])
    return [outputs, mean, variance, *pulled_back, *pushed, *bent]


def close(one, other, tolerance=2e-6):
    """Equal up to a part of the largest number in each."""
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        a, b = np.asarray(tf.cast(a, tf.float64)), np.asarray(tf.cast(b, tf.float64))
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * max(np.abs(b).max(), 1e-3))


@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
def test_derivatives_of_every_order_are_those_of_the_plain_formula(mode):
    def found():
        return derivatives(normalised, tf.float32)

    if mode != "eager":
        found = tf.function(found, jit_compile=mode == "xla", autograph=False)
    close(found(), derivatives(plain, tf.float64))


def test_forward_mode_of_values():
    def tangents(function):
        x, gamma, beta, cotangent, *u = numbers(tf.float32)
        with tf.autodiff.ForwardAccumulator([x, gamma, beta], u) as forward:
            with tf.GradientTape() as tape:
                tape.watch([x, gamma])
                outputs, mean, variance = function(x, gamma, beta, EPSILON)
            gradient = tape.gradient(outputs, [x, gamma], cotangent)
        return [forward.jvp(y) for y in (outputs, *gradient)]

    close(tangents(normalised), tangents(plain))


def test_the_plain_pullback_is_the_derivative_and_its_first_part_its_own_transpose():
    x, gamma, beta, d, u, u_gamma, u_beta = numbers(tf.float64)
    step, pulled_back = 1e-5, plain_pullback(d, x, gamma, EPSILON)

    def moved(sign):
        change = [sign * step * part for part in (u, u_gamma, u_beta)]
        return plain(x + change[0], gamma + change[1], beta + change[2], EPSILON)[0]

    difference = tf.reduce_sum(d * (moved(1) - moved(-1))) / (2 * step)
    directions = (u, u_gamma, u_beta)
    along = sum(tf.reduce_sum(p * part) for p, part in zip(pulled_back, directions, strict=True))
    np.testing.assert_allclose(along, difference, rtol=1e-8)
    # <pullback(d), (u_x, u_γ, u_β)> = <d, P(u_x) + u_γ x̂ + u_β>
    x_hat = plain(x, tf.ones_like(gamma), tf.zeros_like(beta), EPSILON)[0]
    transposed = plain_pullback(u, x, gamma, EPSILON)[0] + u_gamma * x_hat + u_beta
    np.testing.assert_allclose(along, tf.reduce_sum(d * transposed), rtol=1e-12)


def network(layer, shape=(4, 3, 5)):
    """A classifier of which every weight's gradient passes through `layer`."""
    inputs = keras.Input(shape)
    x = L.Activation("tanh")(layer(L.Dense(5, use_bias=False)(inputs)))
    return keras.Model(inputs, L.Dense(3, dtype="float32")(L.Flatten()(x)))


def pass_of(classifier, inputs, fuses, jit_compile=False):
    """Logits, new statistics, gradients and pushforward; and the types of the operations."""
    rng = np.random.default_rng(1)
    cotangent = tf.constant(rng.normal(size=(len(inputs), 3)).astype("float32"))
    selection = range(len(classifier.trainable_variables))
    direction = [rng.normal(size=v.shape) for v in classifier.trainable_variables]

    @tf.function(jit_compile=jit_compile, autograph=False)
    def run(inputs):
        linear = Linearisation(classifier, inputs, fuses=fuses)
        d = tf.cast(cotangent, linear.logits.dtype)
        gradient, pushforward = linear.pullback_and_pushforward(d, selection)
        u = [tf.cast(u, w.dtype) for u, w in zip(direction, linear.weights, strict=True)]
        tangent = pushforward(u)
        return [linear.logits, *(new for _, new in linear.updates), *gradient, tangent]

    inputs = tf.constant(inputs)
    kinds = {op.type for op in run.get_concrete_function(inputs).graph.get_operations()}
    assert L.BatchNormalization.call is KERAS_CALL
    return run(inputs), kinds


@pytest.mark.parametrize("jit_compile", [False, True])
def test_new_statistics_have_their_derivative(jit_compile):
    classifier = network(L.BatchNormalization(momentum=0.5))

    @tf.function(jit_compile=jit_compile, autograph=False)
    def gradients(fuses):
        weights = [tf.convert_to_tensor(v) for v in classifier.trainable_variables]
        with tf.GradientTape() as tape:
            tape.watch(weights)
            values = zip(classifier.trainable_variables, weights, strict=True)
            _, updates, _ = functional_call(classifier, list(values), images(), fuses)
            value = tf.add_n([tf.reduce_sum(new**2) for _, new in updates])
        return tape.gradient(value, weights[:1])

    close(gradients(True), gradients(False), 1e-5)


def test_forward_mode_through_a_layer_is_refused():
    classifier = network(L.BatchNormalization())
    weights = classifier.trainable_variables

    @tf.function(autograph=False)
    def tangent():
        values = [tf.convert_to_tensor(v) for v in weights]
        with tf.autodiff.ForwardAccumulator(values, values) as forward:
            pairs = list(zip(weights, values, strict=True))
            logits, _, _ = functional_call(classifier, pairs, images(), fuses=True)
        return forward.jvp(logits)

    with pytest.raises(LookupError, match="no forward mode; take fuses=False"):
        tangent()


def images(shape=(4, 3, 5), size=7):
    return np.random.default_rng(0).normal(0.5, 3.0, (size, *shape)).astype("float32")


@pytest.mark.parametrize(
    ("policy", "jit_compile", "tolerance"),
    [
        ("float32", False, 1e-5),
        ("float32", True, 1e-5),
        ("mixed_bfloat16", False, 0.02),
        ("mixed_float16", False, 3e-3),
    ],
)
@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False}])
def test_a_pass_is_that_of_keras(policy, jit_compile, tolerance, options):
    keras.config.set_dtype_policy(policy)
    try:
        classifier = network(L.BatchNormalization(momentum=0.9, **options))
    finally:
        keras.config.set_dtype_policy("float32")
    fused, kinds = pass_of(classifier, images(), True, jit_compile)
    own, others = pass_of(classifier, images(), False, jit_compile)
    assert {"FusedBatchNormV3", "FusedBatchNormGradV3"} <= kinds - others
    close(fused, own, tolerance)


@pytest.mark.parametrize("shape", [(6, 5), (2, 3, 2, 5), (1, 1, 5)])
def test_any_number_of_axes_before_the_last(shape):
    classifier = network(L.BatchNormalization(axis=len(shape)), shape)
    fused, kinds = pass_of(classifier, images(shape), True)
    assert "FusedBatchNormV3" in kinds
    close(fused, pass_of(classifier, images(shape), False)[0], 1e-5)


def test_one_example_has_the_variance_zero():
    classifier = network(L.BatchNormalization(), (1, 1, 5))
    fused, own = (pass_of(classifier, images((1, 1, 5), 1), fuses)[0] for fuses in (True, False))
    close(fused, own, 1e-5)


def test_shared_layers_and_models_in_models():
    norm = L.BatchNormalization()
    inner = keras.Sequential([keras.Input((4, 3, 5)), norm, L.Activation("softplus")])

    def classifier(x):
        return norm(inner(x))

    model = network(classifier)
    fused, kinds = pass_of(model, images(), True)
    assert "FusedBatchNormV3" in kinds
    close(fused, pass_of(model, images(), False)[0], 1e-5)


class Shifted(L.BatchNormalization):
    def call(self, inputs, training=None, mask=None):
        return super().call(inputs + 1.0, training=training, mask=mask)


class Masked(L.Layer):
    def call(self, inputs):
        return inputs

    def compute_mask(self, inputs, mask=None):
        return keras.ops.any(inputs > 1.0, axis=-1)


def masked_norm(inputs):
    return L.BatchNormalization()(Masked()(inputs))


FALLBACKS = {
    "axis 1": (lambda: L.BatchNormalization(axis=1), (4, 3, 5)),
    "renorm=True": (lambda: L.BatchNormalization(renorm=True), (4, 3, 5)),
    "synchronized=True": (lambda: L.BatchNormalization(synchronized=True), (4, 3, 5)),
    "trainable=False": (lambda: L.BatchNormalization(trainable=False), (4, 3, 5)),
    "float64": (lambda: L.BatchNormalization(dtype="float64"), (4, 3, 5)),
    "inputs of shape [B, C]": (L.BatchNormalization, (5,)),
    "the class Shifted": (Shifted, (4, 3, 5)),
    "mask": (lambda: masked_norm, (4, 3, 5)),
}


@pytest.mark.parametrize("reason", FALLBACKS)
def test_what_the_kernels_do_not_fit_is_computed_by_keras(reason):
    layer, shape = FALLBACKS[reason]
    classifier = network(layer(), shape)
    fused, kinds = pass_of(classifier, images(shape), True)
    assert not {kind for kind in kinds if "FusedBatchNorm" in kind}
    own, _ = pass_of(classifier, images(shape), False)
    for one, other in zip(fused, own, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("reason", [reason for reason in FALLBACKS if reason != "mask"])
def test_on_names_what_does_not_fit(reason):
    layer, shape = FALLBACKS[reason]
    layer = layer()
    model = CrossEntropy(network(layer, shape))
    wanted = rf"fused_batch_norm: expected 'auto' or 'off' .* \({layer.name} has {reason}\)"
    with pytest.raises(ValueError, match=wanted.replace("[B, C]", r"\[B, C\]")):
        model.compile("sgd", fused_batch_norm="on")


def test_on_and_off():
    with pytest.raises(ValueError, match="received 'on' .there is no batch norm"):
        CrossEntropy(mlp()).compile("sgd", fused_batch_norm="on")
    with pytest.raises(ValueError, match="fused_batch_norm: expected one of auto, off, on"):
        CrossEntropy(mlp()).compile("sgd", fused_batch_norm="yes")
    model = CrossEntropy(cnn_with_batch_norm())
    model.compile("sgd", fused_batch_norm="on")
    assert model.linearise(element([(6, 6, 2)])[0]["inputs"]).fuses


def test_a_saved_model_keeps_the_option_and_plain_layers(tmp_path):
    model = CrossEntropy(cnn_with_batch_norm())
    model.compile("sgd")
    assert "fused_batch_norm" not in model.get_compile_config()
    model.compile("sgd", fused_batch_norm="off")
    model.train_step(element([(6, 6, 2)]))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.fused_batch_norm == "off"
    assert {type(layer) for layer in loaded.classifier.layers} == {
        type(layer) for layer in model.classifier.layers
    }
    x = images((6, 6, 2))
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize("choice", ["on", "off"])
def test_the_last_phase_does_as_the_model(choice, monkeypatch):
    calls, fused_call = [], fused_module._fused_call
    monkeypatch.setattr(
        fused_module, "_fused_call", lambda *args: calls.append(1) or fused_call(*args)
    )
    model = CrossEntropy(cnn_with_batch_norm())
    model.compile("sgd", fused_batch_norm=choice)
    x, y = batch([(6, 6, 2)], 12, 0)
    model.fine_tune(x, y, epochs=1, steps_per_epoch=1, verbose=0)
    assert bool(calls) == (choice == "on")


def test_other_threads_go_on_as_before():
    layer, x = L.BatchNormalization(), tf.constant(images())
    own = layer(x, training=True)

    def kinds():
        """Types of the operations of a call."""
        call = tf.function(lambda: layer(x, training=True), autograph=False)
        return {op.type for op in call.get_concrete_function().graph.get_operations()}

    seen = []
    with fused_batch_norm():
        assert "FusedBatchNormV3" in kinds()
        thread = threading.Thread(target=lambda: seen.append(kinds()))
        thread.start()
        thread.join()
        with fused_batch_norm():
            assert "FusedBatchNormV3" in kinds()
        with fused_batch_norm(False):
            assert "FusedBatchNormV3" in kinds()
    assert seen and "FusedBatchNormV3" not in seen[0] | kinds()
    assert L.BatchNormalization.call is KERAS_CALL
    np.testing.assert_array_equal(layer(x, training=True), own)


def meta_gradient(fuses, **options):
    keras.utils.set_random_seed(0)
    model = MetaWeightNet(cnn_with_batch_norm(), weight_net_units=(5,), **options)
    model.compile("sgd", fused_batch_norm="on" if fuses else "off")
    features, labels = element([(6, 6, 2)])
    batch = model.training_batch(labels, features["sample_id"])

    @tf.function(autograph=False)
    def gradient(inputs):
        return model.meta_gradient(model.linearise(inputs), batch, features)

    return gradient(features["inputs"])


@pytest.mark.parametrize("options", [{}, {"recompute": True}, {"reuse_gradient": True}])
def test_the_meta_gradient_is_that_of_keras(options):
    close(meta_gradient(True, **options), meta_gradient(False), 1e-4)


def test_similarities_of_l2rw():
    found = []
    for choice in ("on", "off"):
        keras.utils.set_random_seed(0)
        model = L2RW(cnn_with_batch_norm(), num_sample_ids=12)
        model.compile("sgd", fused_batch_norm=choice)
        features, labels = element([(6, 6, 2)])
        batch = model.training_batch(labels, features["sample_id"])
        found.append(model.similarities(model.linearise(features["inputs"]), batch, features))
    close(found[:1], found[1:], 1e-4)


def trained(choice, scope=None):
    """The weights after three steps, on one device or on all of a strategy."""
    keras.utils.set_random_seed(0)
    build, shapes = CLASSIFIERS["cnn_with_batch_norm"]
    features, labels = element(shapes, size=16, meta_size=8)
    data = tf.data.Dataset.from_tensors((features, labels)).repeat(3)
    with scope.scope() if scope else tf.device("CPU:0"):
        model = MetaWeightNet(build(), weight_net_units=(5,))
        model.compile(keras.optimizers.SGD(0.1, 0.9), fused_batch_norm=choice)
    if scope:
        halves = [{k: v[i::2] for k, v in features.items()} | {"y": labels[i::2]} for i in (0, 1)]
        step = tf.function(lambda data: scope.run(share_step, (model, data)), autograph=False)
        for _ in range(3):
            step(
                scope.experimental_distribute_values_from_function(
                    lambda context: halves[context.replica_id_in_sync_group]
                )
            )
    else:
        model.fit(data, verbose=0)
    return [tf.convert_to_tensor(v) for v in model.variables]


def share_step(model, data):
    features = {k: v for k, v in data.items() if k != "y"}
    return model.train_step((features, data["y"]))


@pytest.mark.parametrize("devices", [1, 2])
def test_training_on_one_and_on_two_devices(devices, mirrored):
    strategy = mirrored if devices == 2 else None
    close(trained("on", strategy), trained("off", strategy), 1e-4)
