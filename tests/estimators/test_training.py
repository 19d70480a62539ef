"""One training by the name of a method."""

import random

import keras
import numpy as np
import pytest

import tf_mwn
from tests.estimators.tiny_networks import labelled, linear, plan
from tf_mwn.estimators.network import new_network, seeded
from tf_mwn.estimators.training import settings_of, train
from tf_mwn.methods import registry

TRAIN, META = labelled(100), labelled(20, seed=1)


@pytest.mark.parametrize(
    ("method", "epochs"),
    [
        ("resampling", 2),  # chooses rows
        ("glc", 4),  # has phases
        ("clean_added", 2),  # trains on the meta set
        ("fine_tuning", 2),  # has a last phase
        ("posthoc_logit_adjustment", 2),  # predicts by another model
    ],
)
def test_methods_of_every_kind(method, epochs):
    model, history = train(plan(method), TRAIN, META, 2)
    assert len(history["loss"]) == epochs
    predicted = model.predict(TRAIN.inputs, verbose=0).argmax(axis=1)
    assert np.mean(predicted == TRAIN.codes) > 0.9


def test_it_is_the_training_that_a_user_writes():
    """The same bits as `tf_mwn.Robust` with the same seeds."""
    model, _ = train(plan("robust"), TRAIN, META, 2)
    with seeded(0):
        own = tf_mwn.Robust(linear(TRAIN.inputs, 2))
        own.compile(keras.optimizers.SGD(0.5))
        clean = {"x_meta": META.inputs, "y_meta": META.codes}
        own.fit(TRAIN.inputs, TRAIN.codes, batch_size=20, epochs=2, verbose=0, **clean)
    for one, other in zip(model.classifier.weights, own.classifier.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_generators_of_the_user_go_on():
    random.seed(3), np.random.seed(3)
    expected = random.random(), np.random.rand()
    random.seed(3), np.random.seed(3)
    with seeded(5):
        random.random(), np.random.rand()
    assert (random.random(), np.random.rand()) == expected


def test_a_model_is_copied_with_new_weights_but_keeps_what_is_no_training():
    normalise = keras.layers.Normalization()
    normalise.adapt(TRAIN.inputs)
    frozen = keras.layers.Dense(3, trainable=False)
    model = keras.Sequential([keras.Input((4,)), normalise, frozen, keras.layers.Dense(2)])
    copy = new_network(model, TRAIN.inputs, 2)
    assert copy.layers[0] is normalise and copy.layers[1] is frozen
    assert not np.array_equal(copy.layers[2].kernel, model.layers[2].kernel)
    unbuilt = new_network(keras.Sequential([keras.layers.Dense(2)]), TRAIN.inputs, 2)
    assert unbuilt.built


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (linear(TRAIN.inputs, 3), ValueError, "model: expected 2 logits, .* received 3"),
        (linear(TRAIN.inputs, 1), ValueError, "model: expected 2 logits, .* received 1"),
        (lambda X, n: "network", TypeError, "model: expected a keras.Model or a function"),
        ("network", TypeError, "model: expected a keras.Model or a function .* received str"),
    ],
)
def test_networks_that_are_refused(model, error, message):
    with pytest.raises(error, match=message):
        new_network(model, TRAIN.inputs, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"elr_lambda": 1.0}, "option of sce: expected one of .* received 'elr_lambda'"),
        ({"sce_beta": -1.0}, "sce_beta: expected a value in"),
        (
            {"target_shares": "0.5,0.5"},
            "target_shares: expected only with logit_adjustment above 0, ",
        ),
        ({"target_shares": "test", "logit_adjustment": 1.0}, "target_shares: expected balanced"),
    ],
)
def test_options_that_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        settings_of(registry.find("sce"), options, 2, 20)
