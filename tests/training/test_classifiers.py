"""What a classifier, a loss or a batch must be, said before training starts."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import CLASSIFIERS, batch, mlp, subclassed
from tests.training.small_classifier import X, classifier
from tf_mwn import L2RW, CrossEntropy, HypergradientDescent, MetaWeightNet, paired_dataset
from tf_mwn.training.classifiers import (
    new_classifier,
    resolve_jit_compile,
    select_variables,
    with_features,
)

L = keras.layers


def softmax_at_the_end():
    return keras.Sequential([keras.Input((5,)), L.Dense(3, activation="softmax")])


def softmax_layer_in_a_nested_model():
    inner = keras.Sequential([keras.Input((5,)), L.Dense(3), L.Softmax()])
    return keras.Sequential([keras.Input((5,)), inner])


def two_outputs():
    inputs = keras.Input((5,))
    return keras.Model(inputs, [L.Dense(3)(inputs), L.Dense(2)(inputs)])


def ending_in(layer):
    return keras.Sequential([keras.Input((5,)), L.Dense(5), layer])


def frozen():
    model = mlp()
    model.trainable = False
    return model


@pytest.mark.parametrize(
    ("classifier", "message"),
    [
        (lambda: keras.Sequential([L.Dense(3)]), "expected a built model"),
        (softmax_at_the_end, "expected logits as output"),
        (softmax_layer_in_a_nested_model, "expected logits as output"),
        (two_outputs, "expected one output, received 2"),
        (lambda: ending_in(L.Dense(1, activation="sigmoid")), "that ends in a sigmoid"),
        (frozen, "expected trainable variables"),
    ],
)
def test_classifiers_that_cannot_be_trained(classifier, message):
    with pytest.raises(ValueError, match=message):
        MetaWeightNet(classifier())


def test_one_logit_is_for_losses_of_ones_own():
    model = CrossEntropy(ending_in(L.Dense(1)))
    with pytest.raises(ValueError, match="at least two classes for cross-entropy"):
        model.compile("sgd")
    model.compile("sgd", loss=lambda y, z: (z[:, 0] - tf.cast(y, z.dtype)) ** 2)
    x, y = batch([(5,)], 8, 0)
    model.fit(paired_dataset(x, y, None, None, batch_size=4), verbose=0)


def test_something_else_than_a_model():
    with pytest.raises(TypeError, match="expected a keras.Model, received function"):
        MetaWeightNet(mlp)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weight_normalization": "mean"}, "expected one of none, sum, sum_detached"),
        ({"weight_net_units": (0,)}, "expected positive integers"),
        ({"weight_net_units": (10.0,)}, "expected positive integers"),
        ({"virtual_variables": "tail"}, "expected one of all, last_block, head or a function"),
        ({"virtual_variables": lambda v: False}, "expected at least one variable"),
        ({"meta_interval": -1}, "meta_interval: expected"),
        ({"meta_interval": True}, "meta_interval: expected"),
        ({"virtual_step": "momentum"}, "virtual_step: expected one of auto, optimizer, plain"),
        ({"reuse_gradient": 1}, "reuse_gradient: expected bool, received 1"),
        ({"speed": "slow"}, "speed: expected one of exact, fast, received 'slow'"),
        (
            {"speed": "fast", "meta_interval": 2},
            "speed: expected fast without meta_interval, meta_fraction and reuse",
        ),
        ({"recompute": "yes"}, "recompute: expected bool, received 'yes'"),
    ],
)
def test_options_that_make_no_sense(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        MetaWeightNet(mlp(), **options)


def test_head_is_the_last_layer_with_weights():
    inner = keras.Sequential([keras.Input((5,)), L.Dense(4), L.Dense(3, name="last"), L.ReLU()])
    model = keras.Sequential([keras.Input((5,)), inner])
    chosen = [model.trainable_variables[i].path for i in select_variables(model, "head")]
    assert [path.split("/")[-2:] for path in chosen] == [["last", "kernel"], ["last", "bias"]]


def test_last_block_is_the_last_three_kernels_and_what_lies_between():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            L.Conv2D(2, 1, name="first"),
            L.BatchNormalization(name="outside"),
            L.Conv2D(3, 1, name="second"),
            L.BatchNormalization(name="between"),
            L.Conv2D(4, 1, name="third"),
            L.GlobalAveragePooling2D(),
            L.Dense(3, name="last"),
        ]
    )
    chosen = [model.trainable_variables[i].path for i in select_variables(model, "last_block")]
    assert list(dict.fromkeys(path.split("/")[-2] for path in chosen)) == [
        *("second", "between", "third", "last")
    ]
    assert len(select_variables(mlp(), "last_block")) == 4  # fewer kernels than three: all


def test_head_of_a_subclassed_model_needs_a_function():
    for choice in ("head", "last_block"):
        with pytest.raises(ValueError, match=f"a function .* for a subclassed .* {choice!r}"):
            MetaWeightNet(subclassed(), virtual_variables=choice)
    chosen = select_variables(subclassed(), lambda v: v.shape[-1] == 3)
    assert len(chosen) == 2


def test_losses_on_probabilities_are_refused():
    with pytest.raises(ValueError, match="pass from_logits=True"):
        MetaWeightNet(mlp()).compile("sgd", loss=keras.losses.SparseCategoricalCrossentropy())


def test_virtual_step_of_the_optimizer_needs_sgd():
    model = MetaWeightNet(mlp(), virtual_step="optimizer")
    with pytest.raises(
        ValueError,
        match="keras.optimizers.SGD with 'optimizer', received Adam",
    ):
        model.compile("adam")


def test_steps_per_execution_and_meta_interval_exclude_each_other():
    with pytest.raises(ValueError, match="steps_per_execution: expected 1 with meta_interval > 1"):
        MetaWeightNet(mlp(), meta_interval=2).compile("sgd", steps_per_execution=4)


def test_ordinary_batches_are_refused_with_the_cure():
    model = MetaWeightNet(mlp())
    model.compile("sgd")
    x, y = batch([(5,)], 8, 0)
    with pytest.raises(ValueError, match="no meta set, so give x_meta and y_meta"):
        model.fit(x, y, verbose=0)
    with pytest.raises(ValueError, match="tf_mwn.paired_dataset, received .inputs, labels"):
        model.fit(tf.data.Dataset.from_tensors((x, y)), verbose=0)


def test_xla_is_off_on_a_cpu_unless_asked_for():
    assert resolve_jit_compile("auto", mlp()) is False
    assert resolve_jit_compile(None, mlp()) is False
    assert resolve_jit_compile(True, mlp()) is True
    with pytest.raises(ValueError, match="expected True, False or 'auto'"):
        resolve_jit_compile("yes", mlp())


def test_xla_on_a_gpu_but_not_with_max_pooling(monkeypatch):
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: ["GPU:0"])
    assert resolve_jit_compile("auto", mlp()) == "auto"
    inputs = keras.Input((4, 4, 1))
    pooled = keras.Model(inputs, L.Dense(2)(L.Flatten()(L.MaxPooling2D()(inputs))))
    assert resolve_jit_compile("auto", keras.Sequential([inputs, pooled])) is False


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("wrapper", [CrossEntropy, MetaWeightNet])
def test_every_kind_of_classifier_trains_evaluates_and_predicts(name, wrapper):
    build, shapes = CLASSIFIERS[name]
    x, y = batch(shapes, 24, 0)
    xm, ym = batch(shapes, 8, 1)
    as_one = tuple if isinstance(x, list) else (lambda inputs: inputs)
    model = wrapper(build())
    model.compile("adam", metrics=["accuracy"])
    before = [w.copy() for w in model.classifier.get_weights()]
    data = paired_dataset(as_one(x), y, as_one(xm), ym, batch_size=8)
    if wrapper is CrossEntropy:
        data = paired_dataset(as_one(x), y, None, None, batch_size=8)
    model.fit(data, validation_data=(x, y), verbose=0, shuffle=False)
    assert set(model.evaluate(x, y, verbose=0, return_dict=True)) == {"accuracy", "loss"}
    assert model.predict(x, verbose=0).shape == (24, 3)
    changed = [not np.array_equal(a, b) for a, b in zip(before, model.classifier.get_weights())]  # noqa: B905
    assert any(changed)


def test_one_hot_labels_train_like_class_numbers():
    weights = []
    x, y = batch([(5,)], 32, 0)
    xm, ym = batch([(5,)], 16, 1)
    for labels, meta_labels in ((y, ym), (np.eye(3)[y], np.eye(3)[ym])):
        keras.utils.set_random_seed(0)
        model = MetaWeightNet(mlp(), weight_normalization="sum")
        model.compile("sgd", meta_optimizer="sgd")
        data = paired_dataset(x, labels, xm, meta_labels, batch_size=16)
        model.fit(data, epochs=2, verbose=0, shuffle=False)
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_bfloat16_trains_with_losses_and_weights_in_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        classifier = mlp()
        model = MetaWeightNet(classifier, weight_normalization="sum")
        model.compile("sgd", metrics=["accuracy"])
        x, y = batch([(5,)], 32, 0)
        xm, ym = batch([(5,)], 16, 1)
        history = model.fit(
            paired_dataset(x, y, xm, ym, batch_size=16), verbose=0, shuffle=False
        ).history
    finally:
        keras.config.set_dtype_policy("float32")
    assert classifier.layers[1].compute_dtype == "bfloat16"
    assert model.weight_net.compute_dtype == "float32"
    assert all(np.isfinite(value).all() for value in history.values())
    assert model.sample_weight(y, tf.zeros((32, 3))).dtype == tf.float32


def test_features_are_what_the_head_is_given():
    net = classifier()
    features, logits = with_features(net)(X)
    head = net.get_layer("head")
    np.testing.assert_allclose(head(features), logits, rtol=1e-6)
    np.testing.assert_allclose(net(X), logits, rtol=1e-6)


def test_features_of_a_subclassed_model_are_refused():
    with pytest.raises(ValueError, match="classifier: expected a functional or Sequential"):
        with_features(subclassed())


@keras.saving.register_keras_serializable(package="tests")
class OwnModel(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.out = keras.layers.Dense(3)

    def call(self, inputs):
        return self.out(inputs)


def own_model():
    model = OwnModel()
    model(X[:2])
    return model


def test_a_model_that_cannot_be_made_anew_is_one_sentence():
    with pytest.raises(ValueError, match="made anew from its configuration, received Subclassed"):
        new_classifier(subclassed())


@pytest.mark.parametrize("make", [classifier, own_model])
def test_a_new_classifier_is_a_twin_with_other_weights(make):
    net = make()
    twin = new_classifier(net)
    assert [v.shape for v in twin.variables] == [v.shape for v in net.variables]
    kernels = [(a, b) for a, b in zip(net.weights, twin.weights, strict=True) if len(a.shape) > 1]
    assert kernels and all(np.abs(a.numpy() - b.numpy()).max() > 1e-3 for a, b in kernels)


def test_a_new_classifier_keeps_what_is_not_learned_in_training():
    normalise = L.Normalization()
    normalise.adapt(np.arange(10.0).reshape(5, 2))
    inside = keras.Sequential([keras.Input((2,)), L.Dense(3, trainable=False), L.Dense(3)])
    net = keras.Sequential([keras.Input((2,)), normalise, inside, L.Dense(2)])
    twin = new_classifier(net)
    assert twin.layers[0] is normalise
    assert twin.layers[1].layers[0] is inside.layers[0]
    assert not np.array_equal(twin.layers[1].layers[1].kernel, inside.layers[1].kernel)


def transfer():
    """A classifier whose body is frozen, and its body."""
    inputs = keras.Input((5,))
    body = L.Dense(4, activation="tanh", name="body")
    body.trainable = False
    outputs = L.Dense(3, name="head")(body(inputs))
    body.trainable = False
    return keras.Model(inputs, outputs), body


@pytest.mark.parametrize(
    ("choice", "chosen"),
    [("head", ["head/kernel", "head/bias"]), ("all", ["body/kernel", "body/bias"])],
)
@pytest.mark.parametrize("wrap", [MetaWeightNet, lambda c, **kw: L2RW(c, 8, **kw)])
def test_compile_chooses_among_the_variables_that_are_trainable_then(wrap, choice, chosen):
    net, body = transfer()
    model = wrap(net, virtual_variables=choice)
    model.compile("sgd")
    body.trainable = True
    with pytest.raises(ValueError, match="when compile was called.* with body/kernel and 1 more"):
        model.check_variables()
    model.compile("sgd")
    model.check_variables()
    paths = [net.trainable_variables[i].path for i in model.virtual_selection]
    assert paths[:2] == chosen and len(paths) == (2 if choice == "head" else 4)


CHANGES = {
    "freeze": lambda layer: setattr(layer, "trainable", False),
    "lora": lambda layer: layer.enable_lora(2),
    "quantize": lambda layer: layer.quantize("int8"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_after_compile_is_found_and_cured_by_compile(change):
    model = CrossEntropy(mlp())
    model.compile("sgd")
    CHANGES[change](model.classifier.layers[1])
    x, y = batch([(5,)], 8, 0)
    pairs = paired_dataset(x, y, None, None, batch_size=4)
    with pytest.raises(
        ValueError, match="without dense.*/kernel( and . more)?; call compile again"
    ):
        model.fit(pairs, verbose=0)
    with pytest.raises(ValueError, match="call compile again"):
        model.train_on_batch(*next(iter(pairs)))
    model.compile("sgd")
    model.fit(pairs, verbose=0)


def test_a_change_while_fit_runs_is_found_at_the_next_epoch():
    model = CrossEntropy(mlp())
    model.compile("sgd")
    x, y = batch([(5,)], 8, 0)
    freeze = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: setattr(model.classifier.layers[1], "trainable", False)
    )
    with pytest.raises(ValueError, match="call compile again"):
        pairs = paired_dataset(x, y, None, None, batch_size=4)
        model.fit(pairs, epochs=2, verbose=0, callbacks=[freeze])


def test_nothing_left_to_train_is_found_by_compile():
    model = CrossEntropy(mlp())
    model.classifier.trainable = False
    with pytest.raises(ValueError, match="expected trainable variables, received none"):
        model.compile("sgd")


def test_methods_with_state_for_each_variable_are_wrapped_again():
    net, body = transfer()
    model = HypergradientDescent(net)
    body.trainable = True
    with pytest.raises(ValueError, match="when it was wrapped, .*; wrap it again"):
        model.compile("sgd")
    HypergradientDescent(net).compile("sgd")
