"""Training on logits that are corrected by the class prior."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import element, mlp
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.methods.losses.posthoc_adjustment import PosthocAdjustment
from tf_mwn.methods.meta_weight_net.meta_weight_net import MetaWeightNet
from tf_mwn.training.cross_entropy import CrossEntropy
from tf_mwn.training.logit_adjustment import LogitAdjustment, smoothed_shares

COUNTS = (60, 30, 6)


def losses(counts, strength):
    """The cross-entropy of class 0 and 1 at logits (0, 0)."""
    adjust = LogitAdjustment(counts, strength)
    logits = adjust(tf.zeros([2, 2], tf.float64))
    return cross_entropy(tf.constant([0, 1]), logits).numpy()


@pytest.mark.parametrize(
    ("counts", "strength", "expected"),
    [
        ((9, 1), 1.0, (0.182322, 1.791759)),  # shares 10/12 and 2/12
        ((9e9, 1e9), 1.0, (0.105361, 2.302585)),  # shares 0.9 and 0.1
        ((9, 1), 0.0, (np.log(2), np.log(2))),
        ((9, 1), 2.0, (np.log(1 + 1 / 25), np.log(26))),
        ((4, 4), 1.0, (np.log(2), np.log(2))),
    ],
)
def test_losses_by_hand(counts, strength, expected):
    np.testing.assert_allclose(losses(counts, strength), expected, rtol=1e-5)


def test_a_class_without_examples_has_a_finite_offset():
    np.testing.assert_allclose(smoothed_shares([8, 0]), [0.9, 0.1])
    assert np.isfinite(LogitAdjustment([8, 0])(tf.zeros([1, 2]))).all()


def test_the_gradient_is_softmax_of_the_adjusted_logits_minus_the_label():
    adjust, z = LogitAdjustment(COUNTS), tf.constant([[0.3, -1.0, 2.0]])
    with tf.GradientTape() as tape:
        tape.watch(z)
        loss = cross_entropy(tf.constant([1]), adjust(z))
    expected = tf.nn.softmax(z + np.log(smoothed_shares(COUNTS)).astype("float32")) - [[0, 1, 0]]
    np.testing.assert_allclose(tape.gradient(loss, z), expected, atol=1e-6)


def test_the_shares_of_the_training_set_as_target_change_nothing():
    adjust = LogitAdjustment(COUNTS, target_shares=smoothed_shares(COUNTS))
    np.testing.assert_allclose(adjust(tf.ones([1, 3])), np.ones([1, 3]), rtol=1e-6)


def test_two_classes_of_one_logit_are_adjusted_by_their_log_odds():
    one = LogitAdjustment((9, 1))(tf.zeros([1, 1]))
    np.testing.assert_allclose(tf.sigmoid(one), [[2 / 12]], rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"logit_adjustment": -1.0, "class_counts": COUNTS}, r"logit_adjustment: expected a value"),
        ({"logit_adjustment": 1.0}, "class_counts: expected the number of training examples"),
        ({"logit_adjustment": 1.0, "class_counts": (5, 5)}, "class_counts: expected 3 counts"),
        ({"logit_adjustment": 1.0, "class_counts": (5, -5, 1)}, r"values in \[0, inf\)"),
        (
            {"logit_adjustment": 1.0, "class_counts": COUNTS, "target_shares": (1, 2)},
            "target_shares: expected 3 numbers",
        ),
        (
            {"logit_adjustment": 1.0, "class_counts": COUNTS, "target_shares": (1, 2, 0)},
            "target_shares: expected a value",
        ),
    ],
)
def test_mistakes_are_refused_by_compile(arguments, message):
    with pytest.raises(ValueError, match=message):
        CrossEntropy(mlp()).compile("sgd", **arguments)


def weight_net_model(**arguments):
    keras.utils.set_random_seed(0)
    model = MetaWeightNet(mlp(), weight_net_units=(5,), weight_normalization="sum")
    model.compile(keras.optimizers.SGD(0.3), keras.optimizers.SGD(1.0), **arguments)
    return model


def test_the_weight_net_and_the_training_loss_see_adjusted_logits():
    model = weight_net_model(logit_adjustment=1.0, class_counts=COUNTS)
    z, y = np.float32([[0.3, -1.0, 2.0], [1.0, 0.0, 0.0]]), np.array([2, 0])
    shifted = z + np.log(smoothed_shares(COUNTS)).astype("float32")
    expected = cross_entropy(tf.constant(y), tf.constant(shifted))
    np.testing.assert_allclose(model.training_loss(y, z), expected, rtol=1e-6)
    wanted = model.weight_net.curve(expected)
    np.testing.assert_allclose(model.sample_weight(y, z), wanted, rtol=1e-6)


@pytest.mark.parametrize("fraction", [1.0, 0.5])
def test_the_meta_gradient_is_that_of_a_classifier_whose_training_logits_are_shifted(fraction):
    """The shift as a bias of the training batch alone, which the meta batch does not have."""
    features, labels = element(((5,),))
    shift = np.log(smoothed_shares(COUNTS)).astype("float32")
    one = weight_net_model(logit_adjustment=1.0, class_counts=COUNTS)
    two = weight_net_model(loss=lambda y, z: shifted_loss(y, z, shift))
    shifted = {**features, "meta_labels": unshifted(features["meta_labels"])}
    gradients = []
    for model, data in ((one, features), (two, shifted)):
        linear = model.linearise(data["inputs"])
        batch = model.training_batch(labels, data["sample_id"])
        if fraction < 1:
            model._every = 2
            linear, batch = model.part_of(linear, batch)
        gradients.append(model.meta_gradient(linear, batch, data))
    for a, b in zip(*gradients, strict=True):
        assert np.abs(a).max() > 0
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-8)


def unshifted(labels):
    """Negative labels, by which `shifted_loss` knows the logits of the meta set."""
    return -1 - labels


def shifted_loss(y, z, shift):
    return tf.where(
        y < 0,
        cross_entropy(tf.maximum(-1 - y, 0), z),
        cross_entropy(tf.maximum(y, 0), z + shift),
    )


def test_logs_and_predictions_see_the_classifiers_own_logits():
    features, labels = element(((5,),))
    one, two = (
        weight_net_model(**a) for a in ({}, dict(logit_adjustment=1.0, class_counts=COUNTS))
    )
    logs = [model.train_step((features, labels))["loss"] for model in (one, two)]
    np.testing.assert_array_equal(*logs)


def test_post_hoc_adjustment_trains_plainly_and_predicts_for_balanced_classes(tmp_path):
    features, labels = element(((5,),))
    models = []
    for build in (CrossEntropy, lambda classifier: PosthocAdjustment(classifier, COUNTS)):
        keras.utils.set_random_seed(0)
        models.append(build(mlp()))
        models[-1].compile(keras.optimizers.SGD(0.3))
        models[-1].train_step((features, labels))
    plain, corrected = models
    for a, b in zip(
        plain.classifier.get_weights(), corrected.classifier.get_weights(), strict=True
    ):
        np.testing.assert_allclose(a, b, atol=1e-6)
    x = features["inputs"]
    offset = np.log(smoothed_shares(COUNTS)).astype("float32")
    np.testing.assert_allclose(corrected(x), plain(x) - offset, atol=1e-5)
    readings = corrected.other_readings(corrected(x).numpy())
    np.testing.assert_allclose(readings["uncorrected"], plain(x), atol=1e-6)
    assert plain.other_readings(plain(x).numpy()) == {}
    corrected.predicting_classifier.save(tmp_path / "alone.keras")
    alone = keras.saving.load_model(tmp_path / "alone.keras")
    np.testing.assert_allclose(alone(x), corrected(x), atol=1e-6)
    corrected.save(tmp_path / "whole.keras")
    for compiled in (True, False):
        whole = keras.saving.load_model(tmp_path / "whole.keras", compile=compiled)
        np.testing.assert_allclose(whole(x), corrected(x), atol=1e-6)
