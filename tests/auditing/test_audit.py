"""`tf_mwn.audit` on a user's model and data."""

import keras
import numpy as np
import pytest

import tf_mwn
from tests.auditing.wrong_labels import TRUE, WRONG, X, Y, linear
from tests.models import mlp, two_inputs
from tf_mwn.auditing.audit import audit_logits


def test_a_good_classifier_finds_the_wrong_labels(tmp_path):
    audit = tf_mwn.audit(linear(), X, Y, X[:60], TRUE[:60], y_clean=TRUE)
    assert set(audit.suspects) == set(np.flatnonzero(WRONG))
    np.testing.assert_array_equal(audit.suggested, TRUE)
    assert audit.weight is None and audit.comparison()["trust"]["auc"] == 1.0
    assert abs(audit.noise_rate - 0.2) < 0.01
    shares = [np.mean(WRONG[Y == c]) for c in range(3)]
    np.testing.assert_allclose(audit.class_noise, shares, atol=0.02)
    np.testing.assert_allclose(audit.transition_matrix.sum(axis=1), 1)


def test_weights_are_those_of_the_model():
    model = tf_mwn.MetaWeightNet(linear())
    model.compile("sgd")
    audit = tf_mwn.audit(model, X, Y)
    np.testing.assert_allclose(audit.weight, model.weight_net(audit.loss), rtol=1e-5)
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None)
    np.testing.assert_allclose(
        audit.loss, cross_entropy(Y, model.classifier(X)), rtol=1e-5, atol=1e-6
    )


def test_clean_examples_of_a_last_phase_are_no_test_of_the_audit(caplog):
    model = tf_mwn.CrossEntropy(linear())
    model.compile("sgd")
    model.fine_tune(X[:40], TRUE[:40], 1, steps_per_epoch=2, held_back=0.0, verbose=0)
    others = tf_mwn.audit(model, X, Y, X[40:60], TRUE[40:60])
    caplog.set_level("INFO", "tf_mwn")
    both = tf_mwn.audit(model, X, Y, X[:60].astype("float64"), TRUE[:60])
    assert "trained on 40 of the 60 clean examples; the other 20 are used" in caplog.text
    assert both.reliability == others.reliability and both.reliability.examples == 20
    np.testing.assert_array_equal(both.log_odds, others.log_odds)
    none = tf_mwn.audit(model, X, Y, X[:40], TRUE[:40])
    assert none.reliability is None and caplog.records[-1].levelname == "WARNING"


def test_held_out_examples_are_judged_and_nothing_is_estimated_from_them():
    logits, held_out = np.asarray(linear()(X)), np.arange(300) >= 240
    both = audit_logits(logits, Y, X, np.arange(300), held_out=held_out)
    rest = audit_logits(logits[:240], Y[:240], X[:240], np.arange(240))
    np.testing.assert_array_equal(both.transition_matrix, rest.transition_matrix)
    np.testing.assert_array_equal(both.class_shares, rest.class_shares)
    np.testing.assert_array_equal(both.log_odds[:240], rest.log_odds)
    assert set(both.suspects) == set(np.flatnonzero(WRONG))
    among = int(WRONG[240:].sum())
    assert f"labels are suspect (trust below 0.5), {among} of them among the 60 held" in str(both)


def test_one_hot_labels_are_classes():
    one, two = (
        tf_mwn.audit(linear(), X, y, y_clean=true)
        for y, true in ((Y, TRUE), np.eye(3, dtype="float32")[[Y, TRUE]])
    )
    np.testing.assert_array_equal(one.log_odds, two.log_odds)
    assert one.comparison() == two.comparison()


def test_several_inputs():
    left, right = X[:, :4], X[:, 3:]
    audit = tf_mwn.audit(two_inputs(), (left, right), Y)
    assert audit.trust.shape == (300,)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(y=Y[:-1]), "x, y: expected the same length, received 300, 299"),
        (dict(y=Y + 1), "^y: expected integers below the 3 classes, received 3"),
        (dict(y=np.ones((300, 3), "float32")), "^y: .* that sum to 1"),  # several labels
        (dict(sample_id=np.zeros(300, int)), "sample_id: expected unique ids"),
        (dict(class_names=["a"]), "class_names: expected 3"),
        (dict(y_clean=Y[:5]), "y, y_clean: .* received 300, 5"),
        (dict(y_clean=Y + 1), "^y_clean: expected integers below the 3 classes, received 3"),
        (dict(x_meta=X[:3], y_meta=np.array([0, 1, 7])), "y_meta: .* below the 3 classes"),
    ],
)
def test_mistakes(arguments, message):
    given = {"x": X, "y": Y, **arguments}
    with pytest.raises(ValueError, match=message):
        tf_mwn.audit(linear(), **given)


def test_models_that_cannot_be_audited():
    with pytest.raises(TypeError, match="classifier: expected a keras.Model, received function"):
        tf_mwn.audit(lambda x: x, X, Y)
    softmax = keras.Sequential([mlp(), keras.layers.Softmax()])
    with pytest.raises(ValueError, match="classifier: expected logits .* ends in a softmax"):
        tf_mwn.audit(softmax, X, Y)


def test_one_logit_is_that_of_two_classes():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2)).astype("float32")
    y = (x[:, 0] > 0).astype(int)
    given = np.where(np.arange(60) < 6, 1 - y, y)
    inputs = keras.Input((2,))
    one = keras.Model(inputs, keras.layers.Dense(1, use_bias=False)(inputs))
    one.set_weights([np.array([[4.0], [0.0]])])
    two = keras.Model(inputs, keras.layers.Dense(2, use_bias=False)(inputs))
    two.set_weights([np.array([[0.0, 4.0], [0.0, 0.0]])])
    found, expected = (tf_mwn.audit(model, x, given, x, y) for model in (one, two))
    np.testing.assert_allclose(found.log_odds, expected.log_odds, rtol=1e-5)
    np.testing.assert_array_equal(found.suspects, expected.suspects)


def test_a_logit_adjustment_is_undone():
    """A model of balanced classes, told the class shares, is audited as one of those shares."""
    counts = np.array([200, 80, 20])
    model = tf_mwn.CrossEntropy(linear())
    model.compile("sgd", logit_adjustment=1.0, class_counts=counts)
    shifted = linear()
    last = shifted.layers[-1]
    last.bias.assign(last.bias + model.logit_adjustment.offset)
    one, two = (tf_mwn.audit(audited, X, Y) for audited in (model, shifted))
    np.testing.assert_allclose(one.log_odds, two.log_odds, rtol=1e-3, atol=1e-3)
    assert np.abs(one.log_odds - tf_mwn.audit(linear(), X, Y).log_odds).max() > 0.5
    with_meta = tf_mwn.audit(model, X, Y, X[:60], TRUE[:60])
    assert with_meta.reliability.precision > 0.8


def test_a_class_without_clean_examples_is_named():
    known = np.flatnonzero(~WRONG & (TRUE != 2))[:40]
    found = tf_mwn.audit(linear(), X, Y, X[known], Y[known], class_names=["a", "b", "c"])
    assert found.reliability.untested == (2,)
    assert "; not tested, as no example is clean: class c\n" in str(found)
    assert found.matrix_from == "training labels"
    assert set(found.suspects) == set(np.flatnonzero(WRONG))
