"""The model of every method: metrics are built once, and the step is traced once."""

import contextlib
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import CLASSIFIERS, batch, element, elements, mlp
from tf_mwn import CrossEntropy, GoldLossCorrection, MetaWeightNet, paired_dataset
from tf_mwn.training.metrics import build_metrics


@pytest.mark.parametrize("one_hot", [False, True])
@pytest.mark.parametrize("name", ["mlp", "subclassed"])
def test_the_step_is_traced_once(name, one_hot, monkeypatch):
    """Metrics that made their variables within the step would have it traced a second time."""
    build, shapes = CLASSIFIERS[name]
    model, traces = MetaWeightNet(build()), []
    model.compile("sgd", metrics=["accuracy"])
    linearise = model.linearise
    monkeypatch.setattr(model, "linearise", lambda x: traces.append(x) or linearise(x))
    stream = elements(shapes, 3)
    if one_hot:
        stream = stream.map(lambda features, labels: (features, tf.one_hot(labels, 3)))
    history = model.fit(stream, epochs=2, verbose=0, shuffle=False).history
    assert len(traces) == 1
    assert len(history["accuracy"]) == 2


def test_metrics_are_built_for_data_that_tell_no_shapes():
    model, (features, labels) = MetaWeightNet(mlp()), element([(5,)])
    model.compile("sgd", metrics=["accuracy"])
    kinds = tf.nest.map_structure(lambda part: part.dtype, (features, labels))
    hidden = tf.data.Dataset.from_generator(lambda: iter([(features, labels)]), output_types=kinds)
    shaped = hidden.map(lambda x, y: ({**x, "inputs": tf.ensure_shape(x["inputs"], [None, 5])}, y))
    assert shaped.element_spec[1].shape.rank is None
    build_metrics(model, shaped)
    assert all(getattr(metric, "built", True) for metric in model.metrics)


def stream_of_arrays():
    x, y = batch([(5,)], 12, 0)
    return x, y, paired_dataset(x, y, x, y, batch_size=4)


def test_a_loop_of_train_on_batch_equals_fit():
    weights = []
    for loops in (False, True):
        keras.utils.set_random_seed(0)
        model, (_, _, pairs) = MetaWeightNet(mlp()), stream_of_arrays()
        model.compile("sgd", metrics=["accuracy"])
        if loops:
            logs = [model.train_on_batch(*element, return_dict=True) for element in pairs]
            assert set(logs[-1]) == {"loss", "accuracy", "mean_weight", "meta_loss"}
        else:
            model.fit(pairs, verbose=0)
        weights.append(model.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_test_on_batch_and_evaluate_give_what_keras_gives():
    x, y, _ = stream_of_arrays()
    net = mlp()
    net.compile(loss=keras.losses.SparseCategoricalCrossentropy(True), metrics=["accuracy"])
    model = MetaWeightNet(net)
    model.compile("sgd", metrics=["accuracy"])
    expected = net.evaluate(x, y, verbose=0)
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0), expected, rtol=1e-5)
    np.testing.assert_allclose(model.test_on_batch(x, y), expected, rtol=1e-5)


def test_on_batch_on_two_devices(mirrored):
    x, y, pairs = stream_of_arrays()
    (element, labels), results = next(iter(pairs)), []
    for scope in (contextlib.nullcontext(), mirrored.scope()):
        keras.utils.set_random_seed(0)
        with scope:
            model = CrossEntropy(mlp())
            model.compile("sgd", metrics=["accuracy"])
        model.train_on_batch(element, labels)
        results.append([*model.test_on_batch(x, y), *model.get_weights()])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_train_on_batch_is_not_for_methods_that_act_between_epochs():
    _, _, pairs = stream_of_arrays()
    model = GoldLossCorrection(mlp(), 3, 1)
    model.compile("sgd")
    with pytest.raises(ValueError, match="expected a method without epochs, received GoldLoss"):
        model.train_on_batch(*next(iter(pairs)))


def test_fit_warns_of_nothing():
    _, _, pairs = stream_of_arrays()
    model = CrossEntropy(mlp())
    model.compile("sgd")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model.fit(pairs, verbose=0)


def test_a_fast_schedule_is_even_with_accumulated_gradients():
    model, (_, _, pairs) = MetaWeightNet(mlp(), speed="fast"), stream_of_arrays()
    model.compile(keras.optimizers.SGD(0.1, gradient_accumulation_steps=4))
    kinds = []
    for data in pairs.repeat(4):
        kinds.append(model.step_kind()[1])
        model.train_on_batch(*data)
    assert kinds == [step % 5 == 0 for step in range(12)]


def test_an_objective_counts_the_steps_whose_gradients_are_accumulated():
    model, (_, _, pairs) = CrossEntropy(mlp()), stream_of_arrays()
    model.compile(keras.optimizers.SGD(0.1, gradient_accumulation_steps=4))
    for step, data in enumerate(pairs):
        assert int(model.training_batch(data[1], None).step) == step
        model.train_on_batch(*data)
    assert step == 2


def test_a_healthy_step_has_no_nan_that_numeric_debugging_could_find():
    _, _, pairs = stream_of_arrays()
    tf.debugging.enable_check_numerics()
    try:
        model = MetaWeightNet(mlp())
        model.compile("sgd")
        model.fit(pairs, verbose=0)
    finally:
        tf.debugging.disable_check_numerics()
