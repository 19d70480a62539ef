"""Health: verdicts on curves set by hand, one warning, the same numbers in a run as in `fit`."""

import logging

import keras
import numpy as np
import pytest

import tf_mwn
from tests.auditing.wrong_labels import TRUE, X, Y, linear
from tf_mwn.data.splits.biased_data import BiasedData
from tf_mwn.data.subset import Subset
from tf_mwn.label_noise.planted import auc_and_error
from tf_mwn.methods.reweighting.l2rw import L2RW
from tf_mwn.monitoring.callbacks import EpochEvaluation
from tf_mwn.monitoring.health import ADVICE, OFF, Checkup, _verdict, advice, examine
from tf_mwn.monitoring.predictions import Predictor

CLEAN = X[:60], TRUE[:60]


def model_of(slope, bias, learned=1, loss=None, kind=tf_mwn.MetaWeightNet, **options):
    """V(l) = sigmoid(bias + slope l) on a classifier of the three clouds."""
    model = kind(linear(), weight_net_units=(1,), **options)
    values = [[1.0]], [0.0], [[slope]], [bias]
    for variable, value in zip(model.weight_net.trainable_variables, values, strict=True):
        variable.assign(value)
    model.compile(keras.optimizers.SGD(0.1), loss=loss)
    model.meta_optimizer.iterations.assign(learned)
    return model


def asked(model, seed=0, train=True):
    parts = [(model.predict(x, verbose=0), y) for x, y in (CLEAN, (X, Y))]
    weights = np.asarray(model.sample_weight(Y, parts[1][0]))
    return examine(model, parts[0], parts[1] if train else None, weights, seed)


@pytest.mark.parametrize(
    ("slope", "bias", "auc", "verdict"),
    [
        (-1.0, 1.0, 1.0, None),  # falls with the loss
        (1.0, -1.0, 0.0, "inverted"),
        (0.0, 0.3, 0.5, "constant"),
        (0.0, 20.0, 0.5, "saturated"),
        (0.0, -20.0, 0.5, "saturated"),
    ],
)
@pytest.mark.parametrize("train", [True, False])
def test_curves_set_by_hand(slope, bias, auc, verdict, train):
    found = asked(model_of(slope, bias), train=train)
    assert found.planted_auc == pytest.approx(auc, abs=0.02)
    assert found.planted_auc_error < 0.02 and found.planted_examples == 60
    assert found.weight_verdict == verdict


def test_weights_that_do_not_tell_right_from_wrong_are_seldom_called_inverted():
    """One look decides the verdict at the end of a run."""
    rng, verdicts = np.random.default_rng(0), []
    for _ in range(600):
        pair = rng.random((2, 60))
        auc, error = auc_and_error(*pair)
        verdicts.append(_verdict(pair.ravel(), auc, error))
    assert verdicts.count("inverted") / 600 < 0.04
    assert _verdict(pair.ravel(), 0.4, 0.049) == "inverted" != _verdict(pair.ravel(), 0.4, 0.051)


@pytest.mark.parametrize(
    ("knows", "learned", "lost"), [(False, 1, [2]), (True, 1, []), (False, 0, None)]
)
def test_a_class_whose_right_labels_weigh_next_to_nothing_is_given_up(
    monkeypatch, knows, learned, lost
):
    model = model_of(-1.0, 1.0, learned)
    if not knows:  # class 2 is never predicted
        kernel, bias = model.classifier.get_weights()
        model.classifier.set_weights([kernel, bias - 100 * np.array([0, 0, 1])])
    at, kept = model.weights_at, np.array([1.0, 1.0, 0.1])
    monkeypatch.setattr(model, "weights_at", lambda y, z, i: at(y, z, i) * kept[y.numpy()])
    found = asked(model)
    assert found.given_up_classes == lost
    assert found.weight_verdict == ("given_up" if lost else None)


def test_the_advice_names_the_classes_that_v_has_given_up():
    assert advice("given_up", ["shirt", "coat"]) == f"{ADVICE['given_up']}. Given up: shirt, coat"
    assert advice("constant", []) == ADVICE["constant"]


def test_a_curve_that_has_not_begun_to_learn_is_not_judged():
    found = asked(model_of(1.0, -1.0, learned=0))
    assert found.weight_verdict is None and found.planted_auc < 0.02


def test_the_seed_decides_the_wrong_labels():
    model = model_of(-0.2, 0.1)
    weak = np.random.default_rng(0)
    model.classifier.set_weights([weak.normal(size=w.shape) for w in model.classifier.weights])
    first, again, other = (asked(model, seed) for seed in (0, 0, 1))
    assert first == again and first != other


def test_while_v_is_not_used_its_weights_are_asked_nevertheless():
    model = model_of(-1.0, 1.0, kind=tf_mwn.Robust, logit_adjustment=0.0)
    assert not model.trusts_weights  # before the first epoch
    found = asked(model)
    assert found.planted_auc == pytest.approx(1.0, abs=0.02) and found.planted_examples == 60
    assert found.weight_verdict == OFF and found.given_up_classes is None
    model._trust.assign(1)
    used = asked(model)
    assert used.weight_verdict is None and used.planted_auc == found.planted_auc


def test_without_weights_or_with_weights_by_history_nothing_is_planted():
    parts = (np.zeros((9, 3), "float32"), np.arange(9) % 3), (np.zeros((9, 3), "float32"), Y[:9])
    for model in (tf_mwn.CrossEntropy(linear()), L2RW(linear(), num_sample_ids=9)):
        model.compile("sgd")
        assert examine(model, *parts, None) == Checkup()
    broken = np.full((9, 3), np.nan, "float32"), np.arange(9) % 3
    assert examine(model_of(-1.0, 1.0), broken, parts[1], np.ones(9)).planted_auc is None


def evaluation_of(model, clean):
    one = np.ones(5, "float32")
    part = Subset(*CLEAN, CLEAN[1], np.arange(60))
    data = BiasedData(Subset(X, Y, TRUE, np.arange(300)), part, None, part, 3, one, one, {})
    callback = EpochEvaluation(data, Predictor(model, lambda x: x), part if clean else None)
    callback.set_model(model)
    return callback


def fitted(model, callback, y_meta=CLEAN[1], y=Y, epochs=1):
    model.meta_optimizer.learning_rate.assign(0.0)  # V stays
    dataset = tf_mwn.paired_dataset(X, y, CLEAN[0], y_meta, batch_size=50)
    return model.fit(dataset, epochs=epochs, verbose=0, callbacks=[callback]).history


def test_the_callback_adds_to_the_logs_what_a_run_logs_and_warns_once(caplog):
    model = model_of(1.0, -1.0)
    with caplog.at_level(logging.WARNING, "tf_mwn"):
        history = fitted(model, tf_mwn.Health(*CLEAN, X, Y, batch_size=70), epochs=4)
    # TensorFlow may warn as well, of functions that it has traced often.
    (message,) = [r.getMessage() for r in caplog.records if r.name == "tf_mwn"]
    assert message == f"MetaWeightNet, epoch 3: {ADVICE['inverted']}"
    logs, callback = {}, evaluation_of(model, clean=True)
    callback.on_epoch_end(3, logs)
    names = ("planted_auc", "planted_auc_error", "weight_spread", "effective_fraction")
    for name in names:
        assert history[name][-1] == pytest.approx(logs[name], rel=1e-5), name
    assert callback.examine() == callback.examine(None)  # as a resumed run finds it
    assert callback.examine().planted_auc == logs["planted_auc"]


def test_what_the_classifier_has_trained_on_is_not_asked():
    logs, callback = {}, evaluation_of(model_of(-1.0, 1.0), clean=False)
    callback.on_epoch_end(0, logs)
    assert "planted_auc" not in logs and callback.examine() == Checkup()


def test_one_hot_labels_are_asked_as_such():
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    one_hot = np.eye(3, dtype="float32")
    histories = []
    for as_labels, of in ((lambda y: y, None), (lambda y: one_hot[y], loss)):
        keras.utils.set_random_seed(0)
        clean, y = as_labels(CLEAN[1]), as_labels(Y)
        health = tf_mwn.Health(CLEAN[0], clean, X, y)
        histories.append(fitted(model_of(-1.0, 1.0, loss=of), health, clean, y))
    for name in ("planted_auc", "weight_spread"):
        np.testing.assert_allclose(*(h[name] for h in histories), rtol=1e-4)


def test_two_devices_find_what_one_does(mirrored):
    one = asked(model_of(-0.3, 0.2))
    with mirrored.scope():
        model = model_of(-0.3, 0.2)
    logits = [Predictor(model, lambda x: x).logits(x) for x in (CLEAN[0], X)]
    weights = np.asarray(model.sample_weight(Y, logits[1]))
    two = examine(model, (logits[0], CLEAN[1]), (logits[1], Y), weights)
    assert two.planted_auc == pytest.approx(one.planted_auc, abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((X[:9], TRUE[:8]), "x, y: expected the same length, received 9, 8"),
        ((X[:9], TRUE[:9] + 1), "y_clean: expected integers below the 3 classes, received 3"),
        ((X[:9], TRUE[:9], X), "y: expected together with x, received none"),
    ],
)
def test_mistakes_show_before_training(arguments, message):
    with pytest.raises(ValueError, match=message):
        fitted(model_of(-1.0, 1.0), tf_mwn.Health(*arguments))


def test_other_models_have_no_weights():
    plain = linear()
    plain.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    with pytest.raises(TypeError, match="model: expected a model of tf_mwn, received Functional"):
        plain.fit(X, Y, verbose=0, callbacks=[tf_mwn.Health(*CLEAN)])
