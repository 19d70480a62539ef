"""The recommended method: what it takes from the data, and that its parts can be switched off."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import mlp
from tf_mwn.data.streams.pairing import pairing_of
from tf_mwn.data.streams.pipeline import paired_dataset
from tf_mwn.engine.optimizers import CoupledAdam
from tf_mwn.methods.meta_weight_net.meta_weight_net import MetaWeightNet
from tf_mwn.methods.meta_weight_net.robust import Robust
from tf_mwn.runs.checkpoint import EpochPart
from tf_mwn.training.fine_tuning import hold_back

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(48, 5)).astype("float32"), rng.choice(3, 48, p=[0.7, 0.2, 0.1])
X_META, Y_META = rng.normal(size=(15, 5)).astype("float32"), np.arange(15) % 3
OFF = {"logit_adjustment": 0.0, "tests_weights": False, "fine_tuning_epochs": 0}


def pairs(**changed):
    return paired_dataset(
        **{"x": X, "y": Y, "x_meta": X_META, "y_meta": Y_META, **changed}, batch_size=16
    )


def robust(**parts):
    keras.utils.set_random_seed(1)
    model = Robust(mlp(), **parts)
    model.compile(keras.optimizers.SGD(0.2))
    return model


def one_hot(y):
    return np.eye(3, dtype="float32")[y]


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"y": one_hot(Y), "y_meta": one_hot(Y_META)},
        {"x": tf.data.Dataset.from_tensor_slices((X, Y)), "y": None},
        {"x_meta": tf.data.Dataset.from_tensor_slices((X_META, Y_META)), "y_meta": None},
    ],
    ids=["arrays", "one-hot", "stream", "meta stream"],
)
def test_class_counts_and_clean_examples_come_from_the_data(changed):
    pairing = pairing_of(pairs(**changed))
    np.testing.assert_array_equal(pairing.class_counts(3), np.bincount(Y, minlength=3))
    x, y = pairing.clean_examples()
    np.testing.assert_array_equal(x, X_META)
    np.testing.assert_array_equal(y if y.ndim == 1 else y.argmax(axis=1), Y_META)


def test_fit_adjusts_the_logits_learns_from_a_quarter_and_ends_on_the_clean_set(tmp_path):
    model = robust()
    model.fit(pairs(), epochs=2, verbose=0)
    assert model.logit_adjustment.class_counts == np.bincount(Y, minlength=3).tolist()
    assert model.fine_tuned.held_back == 3 and len(model.fine_tuned.losses) == 1 + 5
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(X), model(X))
    weights = [either.sample_weight(Y, model(X)) for either in (model, loaded)]
    np.testing.assert_array_equal(*weights)
    assert model.unseen(X_META).sum() == 3
    np.testing.assert_array_equal(loaded.unseen(X_META), model.unseen(X_META))
    own, other = (either.constructor_arguments() for either in (model, loaded))
    assert own.keys() == other.keys() and own["fine_tuning_epochs"] == 5


def test_without_its_parts_it_is_meta_weight_net_relative_to_the_sum():
    model = robust(meta_fraction=1.0, meta_interval=1, **OFF)
    model.fit(pairs(), epochs=2, verbose=0)
    keras.utils.set_random_seed(1)
    plain = MetaWeightNet(mlp(), weight_normalization="sum")
    plain.compile(keras.optimizers.SGD(0.2), CoupledAdam(3e-3, coupled_weight_decay=1e-3))
    plain.fit(pairs(), epochs=2, verbose=0)
    assert model.fine_tuned is None
    for a, b in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_mapped_data_set_is_refused_unless_nothing_is_taken_from_it():
    mapped = pairs().map(lambda x, y: (x, y))
    with pytest.raises(ValueError, match="fit: expected arrays, or the data set that"):
        robust().fit(mapped, verbose=0)
    robust(**OFF).fit(mapped, verbose=0)


@pytest.mark.parametrize(("slope", "trusted"), [(-1.0, True), (1.0, False), (0.0, False)])
def test_v_weighs_only_while_planted_errors_show_it_to_be_right(slope, trusted, monkeypatch):
    """The classifier knows the clean classes, so that wrong labels have large losses."""
    model = robust()
    dataset = pairs()
    x = model.prepared(dataset, pairing_of(dataset))
    model.classifier.set_weights([1e-3 * w for w in model.classifier.get_weights()])
    logits = 5 * one_hot(Y_META)
    monkeypatch.setattr(model, "_clean_logits", lambda inputs: tf.constant(logits))
    monkeypatch.setattr(model.weight_net, "curve", lambda losses: 1 + slope * tf.tanh(losses))
    model.begin_epoch()
    assert model.trusts_weights == trusted
    element, labels = next(iter(x))
    batch = model.training_batch(labels, element["sample_id"])
    z = tf.random.normal([16, 3], seed=1)
    cotangent, weights = model.step_gradient(z, batch)
    learned, given = model.logits_gradient(z, batch)
    plain = (tf.nn.softmax(z) - one_hot(labels.numpy())) / 16
    np.testing.assert_allclose(cotangent, learned if trusted else plain, atol=1e-6)
    np.testing.assert_allclose(weights, given if trusted else np.ones(16), rtol=1e-6)
    if not trusted:
        np.testing.assert_array_equal(model.sample_weight(Y_META, logits), np.ones(15))


def test_another_fit_counts_its_own_classes_and_asks_only_what_was_held_back():
    learnable = 3 * np.eye(3, 5, dtype="float32")[Y_META] + X_META
    model = robust(held_back=0.4, fine_tuning_rate=1.0)
    model.fit(pairs(x_meta=learnable), verbose=0)
    asked = np.concatenate([x.numpy() for x, _ in model.whole_sets.meta])
    assert len(asked) == 15, "before the last phase all clean examples are new to the classifier"
    assert model.fine_tuned.kept, "the last phase helped on the examples held back"
    other = (Y + 1) % 3
    model.fit(pairs(y=other, x_meta=learnable), verbose=0)
    assert model.logit_adjustment.class_counts == np.bincount(other, minlength=3).tolist()
    asked = np.concatenate([x.numpy() for x, _ in model.whole_sets.meta])
    np.testing.assert_array_equal(asked, learnable[hold_back(Y_META, 0.4, 0)])


def test_a_last_phase_that_did_not_help_leaves_all_clean_examples_unseen():
    model = robust(fine_tuning_rate=1.0)
    model.fit(pairs(y_meta=np.roll(Y_META, 1)), verbose=0)
    assert not model.fine_tuned.kept and model.unseen(X_META).all()


def test_without_examples_held_back_a_second_fit_trusts_nothing():
    model = robust(held_back=0.0)
    for _ in range(2):
        model.fit(pairs(), verbose=0)
    assert model.whole_sets.meta is None and not model.trusts_weights


@pytest.mark.parametrize("trusted", [False, True])
def test_an_epoch_that_is_resumed_has_the_trust_of_its_beginning(trusted, monkeypatch):
    model = robust()
    monkeypatch.setattr(model, "_passes_test", lambda: trusted)
    model.begin_epoch()
    state = [keras.ops.convert_to_numpy(v) for v in model.state_variables()]
    monkeypatch.setattr(model, "_passes_test", lambda: not trusted)
    model.begin_epoch()
    EpochPart(1, state, []).restore_variables(model)
    assert model.trusts_weights == trusted


def test_a_reused_gradient_is_plain_too_while_v_is_not_trusted(monkeypatch):
    model = robust(meta_fraction=1.0, meta_interval=1, reuse_gradient=True)
    monkeypatch.setattr(model, "_passes_test", lambda: False)
    history = model.fit(pairs(), verbose=0).history
    assert history["mean_weight"] == [1.0]


def test_weights_that_begin_late():
    history = robust(meta_start=0.5, epochs=2).fit(pairs(), epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all() and len(history["meta_loss"]) == 1
