"""The last phase on clean examples, which keeps its best epoch."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import batch, elements, mlp
from tf_mwn.data.streams.pipeline import training_stream
from tf_mwn.data.subset import Subset
from tf_mwn.engine.optimizers import CoupledSGD
from tf_mwn.label_noise.calibration import fit_temperature
from tf_mwn.methods.meta_weight_net.meta_weight_net import MetaWeightNet
from tf_mwn.training.cross_entropy import CrossEntropy
from tf_mwn.training.fine_tuning import fine_tune, hold_back, strata

X, Y = batch(((5,),), 40, 7)


def model_of(method=CrossEntropy, **arguments):
    keras.utils.set_random_seed(1)
    model = method(mlp())
    model.compile(CoupledSGD(0.2, momentum=0.9), **arguments)
    return model


def loss_of(model, x, y):
    return float(tf.reduce_mean(model.per_example_loss(y, model(x))))


def same(one, two):
    return all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def test_the_same_share_of_every_class_is_held_back_by_the_seed():
    labels = np.array([0] * 10 + [1] * 5 + [2] * 2 + [3])
    rows = hold_back(labels, 0.2, seed=0)
    assert np.bincount(labels[rows], minlength=4).tolist() == [2, 1, 1, 0]
    np.testing.assert_array_equal(rows, hold_back(labels, 0.2, seed=0))
    assert any((hold_back(labels, 0.2, seed) != rows).any() for seed in range(1, 4))
    assert len(hold_back(labels, 0.0, seed=0)) == 0


def test_without_examples_held_back_it_is_plain_training_at_its_own_rate():
    ours, plain = model_of(), model_of()
    found = ours.fine_tune(
        X, Y, 2, steps_per_epoch=3, batch_size=8, rate=0.5, held_back=0.0, verbose=0
    )
    assert (found.kept, found.held_back, found.losses) == (2, 0, ())
    plain.optimizer.learning_rate = 0.1
    stream = training_stream(Subset(X, Y, None, np.arange(40)), None, 8, None, seed=0)
    plain.fit(stream, epochs=2, steps_per_epoch=3, verbose=0, shuffle=False)
    assert same(ours.classifier.get_weights(), plain.classifier.get_weights())
    assert int(ours.optimizer.iterations) == 0, "the optimizer of the training stays as it is"


def test_it_keeps_the_epoch_of_least_loss_on_the_examples_held_back():
    model = model_of()
    rows = hold_back(Y, 0.4, seed=0)
    found = model.fine_tune(X, Y, 6, steps_per_epoch=10, rate=1.0, held_back=0.4, verbose=0)
    assert found.held_back == len(rows) and len(found.losses) == 7
    assert found.losses[found.kept] == min(found.losses)
    logits = model(X[rows]).numpy()
    cooled = logits / fit_temperature(logits.astype("float64"), Y[rows])
    loss = tf.reduce_mean(model.per_example_loss(Y[rows], tf.constant(cooled)))
    np.testing.assert_allclose(loss, min(found.losses), rtol=1e-5)


def test_it_keeps_the_weights_of_before_where_no_epoch_is_better():
    model = model_of()
    before = model.classifier.get_weights()
    found = model.fine_tune(X, Y, 2, steps_per_epoch=20, rate=1e4, held_back=0.4, verbose=0)
    assert found.kept == 0 and same(model.classifier.get_weights(), before)


def test_the_meta_learner_stays_and_an_epoch_is_as_long_as_those_of_fit():
    model = model_of(MetaWeightNet)
    model.fit(elements(((5,),), 3), verbose=0)
    theta = model.weight_net.get_weights()
    steps = []
    count = keras.callbacks.LambdaCallback(on_train_batch_end=lambda b, logs: steps.append(b))
    stream = elements(((5,),), 12).repeat()
    fine_tune(model, stream, 99, 16, 2, model._steps_of_an_epoch, 0.1, None, [count], verbose=0)
    assert len(steps) == 2 * 3 and same(model.weight_net.get_weights(), theta)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "steps_per_epoch: expected a number before any fit"),
        ({"steps_per_epoch": 1, "epochs": 0}, "epochs: expected an integer of at least 1"),
        ({"steps_per_epoch": 1, "rate": 0.0}, "rate: expected a value in"),
        ({"steps_per_epoch": 1, "held_back": 1.0}, "held_back: expected a value in"),
        ({"steps_per_epoch": 1, "y_meta": Y[:3]}, "x_meta.*y_meta"),
    ],
)
def test_mistakes_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        model_of().fine_tune(**{"x_meta": X, "y_meta": Y, **arguments})


@pytest.mark.parametrize("rate", [0.2, lambda: 0.2])
def test_the_rate_is_a_multiple_of_the_first_one(rate):
    model = CrossEntropy(mlp())
    model.compile(keras.optimizers.SGD(rate))
    callbacks = []
    if not callable(rate):
        callbacks = [keras.callbacks.LearningRateScheduler(lambda epoch: 1e-5)]
    model.fit(elements(((5,),), 3), callbacks=callbacks, verbose=0)
    found = []
    note = keras.callbacks.LambdaCallback(
        on_train_begin=lambda logs: found.append(float(note.model.optimizer.learning_rate))
    )
    stream = elements(((5,),), 3).repeat()
    fine_tune(model, stream, 99, 16, 1, 3, 0.5, None, [note], verbose=0)
    assert found == pytest.approx([0.1])


def test_steps_are_counted_under_accumulation():
    model = CrossEntropy(mlp())
    model.compile(keras.optimizers.SGD(0.1, gradient_accumulation_steps=4))
    model.fit(elements(((5,),), 3), verbose=0)
    assert model._steps_of_an_epoch == 3


def test_one_hot_labels_of_any_type_are_classes():
    one_hot = np.eye(3)[[0, 2, 1]]
    for kind in ("float32", "int64", "bool"):
        np.testing.assert_array_equal(strata(one_hot.astype(kind)), [0, 2, 1])
    assert not strata(np.array([[1, 1], [0, 0]])).any()  # several labels
