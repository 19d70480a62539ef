"""D2L: the estimate, the turning point, the targets, and the way back."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import mlp, subclassed
from tf_mwn import D2L, CrossEntropy, WholeSets, paired_dataset
from tf_mwn.engine.objective import TrainingBatch
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.losses.symmetric import symmetric_cross_entropy
from tf_mwn.methods.correction import intrinsic_dimension as lid
from tf_mwn.methods.correction.d2l import PacedLabels

rng = np.random.default_rng(0)


X, Y = rng.normal(size=(60, 5)).astype("float32"), rng.integers(0, 3, 60)


LOGITS = rng.normal(size=(6, 3)).astype("float32")


BATCH = TrainingBatch(tf.constant([0, 1, 2, 2, 1, 0]), cross_entropy)


def test_nothing_turns_before_start_and_window():
    """Start 1 and window 2: the first value that can turn is the fourth."""
    paced = PacedLabels(epochs=8, start=1, window=2)
    assert [paced.take(v) for v in (2.0, 5.0, 4.0)] == [False] * 3
    assert float(paced.alpha) == 1
    assert paced.take(6.0)
    np.testing.assert_allclose(paced.alpha, np.exp(-3 / 8 * 6 / 2), rtol=1e-6)


def test_after_the_turning_point_only_the_share_moves():
    paced = PacedLabels(epochs=8, start=0, window=1)
    assert [paced.take(v) for v in (2.0, 3.0, 9.0, 1.0)] == [False, True, False, False]
    np.testing.assert_allclose(paced.alpha, np.exp(-3 / 8), rtol=1e-6)  # 1 is the new minimum


def test_no_value_repeats_the_last():
    paced = PacedLabels(epochs=8, start=0, window=2)
    paced.take(3.0)
    paced.take(float("nan"))
    np.testing.assert_array_equal(paced.values, [0, 3, 3])


def test_targets_mix_label_and_predicted_class():
    paced = PacedLabels(epochs=8, start=0, window=1)
    plain = np.mean(cross_entropy(BATCH.labels, LOGITS))
    np.testing.assert_allclose(paced.objective(LOGITS, BATCH)[0], plain, rtol=1e-6)
    paced.alpha.assign(0.3)
    target = 0.3 * np.eye(3)[BATCH.labels] + 0.7 * np.eye(3)[LOGITS.argmax(axis=1)]
    expected = np.mean(cross_entropy(target, LOGITS))
    np.testing.assert_allclose(paced.objective(LOGITS, BATCH)[0], expected, rtol=1e-6)


def test_the_symmetric_loss_ends_at_the_turning_point():
    paced = PacedLabels(8, 0, 1, sce=(0.2, 0.7))
    expected = np.mean(symmetric_cross_entropy(BATCH.labels, LOGITS, alpha=0.2, beta=0.7))
    np.testing.assert_allclose(paced.objective(LOGITS, BATCH)[0], expected, rtol=1e-6)
    plain = PacedLabels(8, 0, 1)
    for either in (paced, plain):
        either.alpha.assign(0.5)
    np.testing.assert_array_equal(
        paced.objective(LOGITS, BATCH)[0], plain.objective(LOGITS, BATCH)[0]
    )


def model(epochs=8, **options):
    keras.utils.set_random_seed(1)
    model = D2L(mlp(), epochs, d2l_start=0.0, d2l_window=2, **options)
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9))
    model.whole_sets = WholeSets.from_arrays(X, Y, batch_size=25)
    return model


def fit(model, epochs=1):
    stream = paired_dataset(X, Y, X[:10], Y[:10], batch_size=20, seed=0)
    return model.fit(stream, epochs=epochs, verbose=0, shuffle=False)


def test_goes_back_to_the_weights_of_the_epoch_before(monkeypatch):
    """The value before the fourth epoch jumps; the weights before the third are the last good."""
    d2l, values = model(), iter([4.0, 3.0, 2.0, 6.0])
    monkeypatch.setattr(d2l, "intrinsic_dimension", lambda seed: next(values))
    fit(d2l, 2)
    good, slots = d2l.classifier.get_weights(), None
    fit(d2l, 1)
    slots = [variable.numpy() for variable in d2l.optimizer.variables]
    assert not np.allclose(d2l.classifier.get_weights()[0], good[0])
    d2l.begin_epoch()
    for now, before in zip(d2l.classifier.get_weights(), good, strict=True):
        np.testing.assert_array_equal(now, before)
    for now, before in zip(d2l.optimizer.variables, slots, strict=True):
        np.testing.assert_array_equal(now, before)
    assert d2l.training_objective.has_turned


def test_without_a_turning_point_it_is_plain_training(monkeypatch):
    d2l = model()
    monkeypatch.setattr(d2l, "intrinsic_dimension", lambda seed: 3.0)
    keras.utils.set_random_seed(1)
    plain = CrossEntropy(mlp())
    plain.compile(keras.optimizers.SGD(0.1, momentum=0.9))
    for either in (d2l, plain):
        fit(either, 4)
    for a, b in zip(d2l.classifier.get_weights(), plain.classifier.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_a_step_after_the_turning_point_is_the_numpy_reference():
    inputs = keras.Input((5,))
    d2l = D2L(keras.Model(inputs, keras.layers.Dense(3)(inputs)), epochs=8)
    d2l.compile(keras.optimizers.SGD(0.5))
    d2l.training_objective.alpha.assign(0.4)
    kernel, bias = d2l.classifier.get_weights()
    d2l.train_step(({"inputs": tf.constant(X), "sample_id": tf.range(60)}, tf.constant(Y)))
    e = np.exp(X @ kernel + bias)
    p = e / e.sum(axis=1, keepdims=True)
    target = 0.4 * np.eye(3)[Y] + 0.6 * np.eye(3)[p.argmax(axis=1)]
    new_kernel, new_bias = d2l.classifier.get_weights()
    np.testing.assert_allclose(new_kernel, kernel - 0.5 * X.T @ (p - target) / 60, atol=1e-6)
    np.testing.assert_allclose(new_bias, bias - 0.5 * np.mean(p - target, axis=0), atol=1e-6)


def test_measures_the_features_before_the_last_layer():
    """60 examples are one batch: no order or choice, so the seed does not matter."""
    d2l = model()
    hidden = d2l.classifier.layers[1](X)
    expected = np.mean(lid.local_intrinsic_dimension(hidden, 20))
    for seed in (1, 2):
        np.testing.assert_allclose(d2l.intrinsic_dimension(seed), expected, rtol=1e-4)


def test_few_examples_are_said_to_be_few():
    small = model()
    small.whole_sets = WholeSets.from_arrays(X[:15], Y[:15])
    with pytest.warns(UserWarning, match="d2l_neighbours.*15 examples"):
        small.intrinsic_dimension(0)


def test_mistakes_are_one_sentence():
    with pytest.raises(ValueError, match="classifier: expected a functional or Sequential"):
        D2L(subclassed(), 8)
    with pytest.raises(ValueError, match="d2l_first_loss.*'sce'"):
        D2L(mlp(), 8, d2l_first_loss="sec")
    with pytest.raises(ValueError, match=r"d2l_neighbours: .* in \[2, inf\), received 1"):
        D2L(mlp(), 8, d2l_neighbours=1)
