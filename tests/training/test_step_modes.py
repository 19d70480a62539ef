"""Cheaper forms of the training step, and half precision, against the plain exact step."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import CLASSIFIERS, element, elements, mlp
from tf_mwn.engine.linearise import Linearisation
from tf_mwn.engine.meta_loss import meta_loss_gradient
from tf_mwn.methods.hyper_parameters.architecture_gate import architecture_gate
from tf_mwn.methods.hyper_parameters.learned_weight_decay import LearnedWeightDecay
from tf_mwn.methods.meta_weight_net.meta_weight_net import MetaWeightNet
from tf_mwn.methods.reweighting.l2rw import L2RW

L = keras.layers


def trained(build, shapes, steps=4, meta_rate=1.0, **options):
    """Weights of classifier and weight net after some steps of SGD."""
    keras.utils.set_random_seed(1)
    model = MetaWeightNet(build(), weight_net_units=(5,), **options)
    model.compile(
        keras.optimizers.SGD(0.3, momentum=0.9), meta_optimizer=keras.optimizers.SGD(meta_rate)
    )
    model.fit(elements(shapes, steps), verbose=0, shuffle=False)
    return model.classifier.get_weights(), model.weight_net.get_weights()


def assert_equal(some, others, **tolerance):
    for a, b in zip(some, others, strict=True):
        np.testing.assert_allclose(a, b, **(tolerance or {"rtol": 1e-5, "atol": 1e-6}))


def operations(model, shapes):
    """How often each kind of operation stands in the traced step."""
    (example,) = elements(shapes, 1).take(1)
    graph = tf.function(model.train_step).get_concrete_function(example).graph
    kinds = [operation.type for operation in graph.get_operations()]
    return {kind: kinds.count(kind) for kind in set(kinds)}


def compiled(build, **options):
    model = MetaWeightNet(build(), **options)
    model.compile(keras.optimizers.SGD(0.3), meta_optimizer=keras.optimizers.SGD(1.0))
    return model


# Every kind of classifier, and every option with those that have most to renew.
RECOMPUTED = [(name, {}) for name in CLASSIFIERS] + [
    (name, options)
    for name in ("cnn_with_batch_norm", "mlp_with_dropout")
    for options in (
        {"weight_normalization": "sum"},
        {"detach_loss": False},
        {"reuse_gradient": True},
    )
]


@pytest.mark.parametrize(("name", "options"), RECOMPUTED)
def test_recomputing_changes_no_number(name, options):
    """Dropout draws the same mask in both passes; batch norm moves once."""
    build, shapes = CLASSIFIERS[name]
    for kept, renewed in zip(
        trained(build, shapes, **options),
        trained(build, shapes, recompute=True, **options),
        strict=True,
    ):
        assert_equal(kept, renewed)


def test_recomputing_is_one_more_forward_pass_that_waits_for_the_meta_pass():
    build, shapes = CLASSIFIERS["cnn_with_batch_norm"]
    exact, renewed = (operations(compiled(build, recompute=r), shapes) for r in (False, True))
    assert (exact["Softplus"], renewed["Softplus"]) == (2, 3)
    linear = Linearisation(build(), tf.zeros((2, 6, 6, 2)))
    late = [tf.Variable(tf.ones_like(w)) for w in linear.weights]

    @tf.function
    def step():
        direction = [2 * part for part in late]
        return linear.renew_and_push_forward(direction, range(len(direction)))

    graph = step.get_concrete_function().graph
    waiting = [op for op in graph.get_operations() if op.type == "Identity" and op.control_inputs]
    assert any(op.control_inputs[0].type == "Mul" for op in waiting)


def test_recomputing_excludes_xla():
    with pytest.raises(ValueError, match="jit_compile: expected False with recompute=True"):
        MetaWeightNet(mlp(), recompute=True).compile("sgd", jit_compile=True)


@pytest.mark.parametrize("more", [{}, {"recompute": True}, {"virtual_variables": "head"}])
@pytest.mark.parametrize("name", ["cnn_with_batch_norm", "mlp_with_dropout"])
def test_a_reused_gradient_is_that_of_the_theta_before(name, more):
    """One step: the classifier moves as if Θ had stayed, and Θ as in the exact step."""
    build, shapes = CLASSIFIERS[name]
    classifier, theta = trained(build, shapes, steps=1, reuse_gradient=True, **more)
    assert_equal(classifier, trained(build, shapes, steps=1, meta_rate=0.0, **more)[0])
    assert_equal(theta, trained(build, shapes, steps=1, **more)[1])
    anew = trained(build, shapes, steps=1, **more)[0]
    assert not np.allclose(classifier[0], anew[0], rtol=1e-5, atol=1e-7)


def test_a_reused_gradient_saves_a_backward_pass():
    build, shapes = CLASSIFIERS["cnn_with_batch_norm"]
    backward = "Conv2DBackpropFilter"
    exact, reusing = (
        operations(compiled(build, reuse_gradient=reuse), shapes)[backward]
        for reuse in (False, True)
    )
    assert exact - reusing == 2  # one for each of the two convolutions


def test_fast_is_a_quarter_of_every_fifth_batch():
    build, shapes = CLASSIFIERS["mlp"]
    short = trained(build, shapes, steps=7, speed="fast")
    named = trained(build, shapes, steps=7, meta_interval=5, meta_fraction=0.25)
    for some, others in zip(short, named, strict=True):
        assert_equal(some, others, rtol=0, atol=0)


def test_a_saved_model_keeps_its_speed():
    model = MetaWeightNet(mlp(), speed="fast")
    again = MetaWeightNet.from_config(model.get_config())
    assert (again.speed, again.meta_interval, again.meta_fraction) == ("fast", 5, 0.25)


def test_regularisers_enter_a_reused_gradient():
    def regularised():
        inputs = keras.Input((5,))
        kind = keras.regularizers.L2(0.5)
        return keras.Model(inputs, L.Dense(3, kernel_regularizer=kind)(inputs))

    still = {"steps": 1, "meta_rate": 0.0}  # Θ stays, so that both gradients are the same
    assert_equal(
        trained(regularised, [(5,)], reuse_gradient=True, **still)[0],
        trained(regularised, [(5,)], **still)[0],
    )


@pytest.mark.parametrize("name", ["cnn_with_batch_norm", "mlp_with_dropout"])
def test_a_scale_cancels(name):
    """In float32, where nothing is lost: pullback, pushforward and meta gradient stay."""
    build, shapes = CLASSIFIERS[name]
    classifier, (features, labels) = build(), element(shapes)
    results = []
    for scale in (None, tf.constant(1024.0)):
        linear = Linearisation(classifier, features["inputs"], scale)
        cotangent = tf.one_hot(labels, 3) - tf.nn.softmax(linear.logits)
        every = range(len(linear.weights))
        gradient, pushforward = linear.pullback_and_pushforward(cotangent, every)
        direction, _ = meta_loss_gradient(
            classifier,
            linear,
            every,
            [w - 0.1 * g for w, g in zip(linear.weights, gradient, strict=True)],
            features["meta_inputs"],
            lambda z: tf.nn.sparse_softmax_cross_entropy_with_logits(features["meta_labels"], z),
            scale,
        )
        results.append([*gradient, *direction, pushforward(direction, scale)])
    assert_equal(*results, rtol=1e-4, atol=1e-6)


def logits_in_float32(classes=3):
    inputs = keras.Input((5,))
    x = L.Dense(7, activation="tanh")(L.Dense(7, activation="tanh")(inputs))
    return keras.Model(inputs, L.Dense(classes, dtype="float32")(x))


@pytest.mark.usefixtures("float16")
def test_small_gradients_survive_float16_only_when_scaled():
    classifier, (features, _) = logits_in_float32(), element([(5,)])
    cotangent = tf.fill((12, 3), 1e-9) * tf.constant([1.0, -2.0, 1.0])
    kernels = {}
    for scale in (None, tf.constant(2.0**20)):
        linear = Linearisation(classifier, features["inputs"], scale)
        kernels[scale is not None] = linear.pullback(cotangent)[0].numpy()
    assert (kernels[False] == 0).all()
    keras.config.set_dtype_policy("float32")
    reference = logits_in_float32()
    reference.set_weights(classifier.get_weights())
    expected = Linearisation(reference, features["inputs"]).pullback(cotangent)[0].numpy()
    np.testing.assert_allclose(kernels[True], expected, rtol=0.02, atol=1e-2 * expected.max())


@pytest.mark.parametrize("more", [{}, {"recompute": True}, {"reuse_gradient": True}])
@pytest.mark.usefixtures("float16")
def test_float16_trains_both_networks_as_float32_does(more):
    half = trained(logits_in_float32, [(5,)], steps=10, weight_normalization="sum", **more)
    keras.config.set_dtype_policy("float32")
    full = trained(logits_in_float32, [(5,)], steps=10, weight_normalization="sum", **more)
    for a, b in zip(half, full, strict=True):
        assert_equal(a, b, rtol=0.05, atol=0.02)


@pytest.mark.usefixtures("float16")
def test_both_optimizers_scale_and_both_leave_out_a_step_that_is_not_finite():
    model = MetaWeightNet(logits_in_float32())
    model.compile(keras.optimizers.SGD(0.3), meta_optimizer=keras.optimizers.Adam(0.1))
    both = model.optimizer, model.meta_optimizer
    assert all(isinstance(o, keras.optimizers.LossScaleOptimizer) for o in both)
    assert all(v.dtype == "float32" for v in model.weight_net.trainable_variables)
    before = model.get_weights()
    for optimizer in both:
        optimizer.dynamic_scale.assign(2.0**100)
    model.fit(elements([(5,)], 1), verbose=0, shuffle=False)
    assert_equal(model.classifier.get_weights(), before[:6], rtol=0, atol=0)
    assert [float(o.dynamic_scale) for o in both] == [2.0**99] * 2
    assert [int(o.iterations) for o in both] == [0, 0]
    for optimizer in both:
        optimizer.dynamic_scale.assign(2.0**10)
    model.fit(elements([(5,)], 1), verbose=0, shuffle=False)
    assert [int(o.iterations) for o in both] == [1, 1]
    assert all(np.isfinite(w).all() for w in model.get_weights())


@pytest.mark.usefixtures("float16")
def test_float16_of_l2rw_weighs_as_float32_does():
    weights = []
    for policy in ("mixed_float16", "float32"):
        keras.config.set_dtype_policy(policy)
        keras.utils.set_random_seed(3)
        model = L2RW(logits_in_float32(), num_sample_ids=16)
        model.compile(keras.optimizers.SGD(0.3))
        model.fit(elements([(5,)], 1), verbose=0, shuffle=False)
        labels, ids = np.zeros(16, int), np.arange(16)
        weights.append(model.sample_weight(labels, tf.zeros((16, 3)), ids))
    np.testing.assert_allclose(*weights, rtol=0.05, atol=0.05)


def test_recomputing_refuses_recurrent_layers():
    inputs = keras.Input((4, 2))
    classifier = keras.Model(inputs, L.Dense(3)(L.LSTM(3)(inputs)))
    with pytest.raises(ValueError, match="recompute: .* without recurrent layers"):
        MetaWeightNet(classifier, recompute=True)


@pytest.mark.parametrize("option", [{"recompute": True}, {"speed": "fast"}])
def test_methods_with_a_step_of_their_own_refuse_its_modes(option):
    with pytest.raises(TypeError, match="expected only with the step of MetaLearnedModel"):
        LearnedWeightDecay(mlp(), **option)
    with pytest.raises(TypeError, match="expected only with the step of MetaLearnedModel"):
        architecture_gate(mlp(), **option)


@pytest.mark.parametrize(
    "options",
    [
        {"recompute": True},
        {"reuse_gradient": True},
        {"speed": "fast", "recompute": True},
        {"virtual_variables": "last_block", "reuse_gradient": True},
        {"meta_fraction": 0.25, "weight_normalization": "sum"},
        {"meta_fraction": 0.5, "meta_interval": 2, "recompute": True},
    ],
)
def test_one_device_equals_two(mirrored, options):
    """The mean of the weights, and plain SGD for Θ, which hides no factor."""
    one = trained(mlp, [(5,)], steps=6, **options)
    with mirrored.scope():
        two = trained(mlp, [(5,)], steps=6, **options)
    for some, others in zip(one, two, strict=True):
        assert_equal(some, others, rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [100, 22])
def test_a_fraction_counts_rows_of_the_global_batch(mirrored, size):
    """Of 100 rows, 50 on each device: with k = 4 the second device starts at its third row."""

    def fitted():
        keras.utils.set_random_seed(1)
        options = {"weight_normalization": "sum", "meta_fraction": 0.25}
        model = MetaWeightNet(mlp(), weight_net_units=(5,), **options)
        model.compile(keras.optimizers.SGD(0.3), meta_optimizer=keras.optimizers.SGD(1.0))
        stream = elements([(5,)], 3, batch_size=size, meta_batch_size=10)
        model.fit(stream, verbose=0, shuffle=False)
        return model.classifier.get_weights() + model.weight_net.get_weights()

    one = fitted()
    with mirrored.scope():
        two = fitted()
    assert_equal(one, two, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", [keras.optimizers.Adam, keras.optimizers.RMSprop])
@pytest.mark.parametrize("options", [{}, {"virtual_variables": "head", "meta_fraction": 0.5}])
def test_one_device_equals_two_with_an_adaptive_optimizer(mirrored, kind, options):
    """The diagonal is that of the gradient summed over devices."""

    def fitted():
        keras.utils.set_random_seed(1)
        model = MetaWeightNet(mlp(), weight_net_units=(5,), **options)
        model.compile(kind(0.01), meta_optimizer=keras.optimizers.SGD(1.0))
        model.fit(elements([(5,)], 5), verbose=0, shuffle=False)
        return model.classifier.get_weights() + model.weight_net.get_weights()

    one = fitted()
    with mirrored.scope():
        two = fitted()
    assert_equal(one, two, rtol=0, atol=1e-5)


def test_float16_preconditions_as_float32_does():
    def fitted():
        keras.utils.set_random_seed(1)
        model = MetaWeightNet(mlp(), weight_net_units=(5,), meta_fraction=0.5)
        model.compile(keras.optimizers.Adam(0.01), meta_optimizer=keras.optimizers.SGD(0.1))
        for optimizer in (model.optimizer, model.meta_optimizer):
            if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
                optimizer.dynamic_scale.assign(256.0)
        model.fit(elements([(5,)], 4), verbose=0, shuffle=False)
        return model.classifier.get_weights() + model.weight_net.get_weights()

    full = fitted()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        half = fitted()
    finally:
        keras.config.set_dtype_policy("float32")
    assert_equal(full, half, rtol=0, atol=0.02)


def test_a_saved_model_keeps_fraction_and_virtual_step(tmp_path):
    model = MetaWeightNet(mlp(), meta_fraction=0.25, virtual_step="preconditioned")
    model.compile("adam", meta_optimizer="sgd")
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert (loaded.meta_fraction, loaded.virtual_step) == (0.25, "preconditioned")
