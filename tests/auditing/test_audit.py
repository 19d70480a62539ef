"""`tf_mwn.audit` on a user's model and data."""

import csv
import json

import keras
import numpy as np
import pytest

import tf_mwn
from tests.models import mlp, two_inputs

RNG = np.random.default_rng(0)
CENTRES = 4 * RNG.normal(size=(3, 5))
TRUE = RNG.integers(0, 3, 300)
X = (CENTRES[TRUE] + RNG.normal(size=(300, 5))).astype("float32")
WRONG = np.arange(300) % 5 == 0
Y = np.where(WRONG, (TRUE + 1) % 3, TRUE)


def linear(x_shape=(5,)):
    """Bayes' classifier of `CENTRES`, as a Keras model."""
    inputs = keras.Input(x_shape)
    dense = keras.layers.Dense(3)
    model = keras.Model(inputs, dense(keras.layers.Flatten()(inputs)))
    dense.set_weights([CENTRES.T, -0.5 * (CENTRES**2).sum(axis=1)])
    return model


def test_a_good_classifier_finds_the_wrong_labels(tmp_path):
    audit = tf_mwn.audit(linear(), X, Y, X[:60], TRUE[:60], y_clean=TRUE)
    assert set(audit.suspects) == set(np.flatnonzero(WRONG))
    np.testing.assert_array_equal(audit.suggested, TRUE)
    assert audit.weight is None and audit.comparison()["trust"]["auc"] == 1.0
    assert abs(audit.noise_rate - 0.2) < 0.01
    shares = [np.mean(WRONG[Y == c]) for c in range(3)]
    np.testing.assert_allclose(audit.class_noise, shares, atol=0.02)
    np.testing.assert_allclose(audit.transition_matrix.sum(axis=1), 1)


def test_files(tmp_path):
    ids = np.arange(300) + 1000
    audit = tf_mwn.audit(linear(), X, Y, sample_id=ids, class_names=["a", "b", "c"])
    written = audit.write(tmp_path / "deep" / "audit")
    assert [path.name for path in written] == ["suspects.csv", "audit.json"]  # no images
    rows = list(csv.DictReader(written[0].open()))
    assert list(rows[0]) == (
        ["sample_id", "label", "predicted", "suggested", "loss", "weight", "trust", "clean_label"]
    )
    assert sorted(int(row["sample_id"]) for row in rows) == ids.tolist()
    trust = [float(row["trust"]) for row in rows]
    assert trust == sorted(trust) and trust[0] < 0.5 < trust[-1]
    first = int(rows[0]["sample_id"]) - 1000
    assert WRONG[first] and int(rows[0]["label"]) == Y[first]
    assert rows[0]["weight"] == rows[0]["clean_label"] == ""
    report = json.loads(written[1].read_text())
    assert report["suspects"] == len(audit.suspects) == WRONG.sum()
    assert report["class_names"] == ["a", "b", "c"] and report["rankings"] == {}


def test_images_get_a_contact_sheet(tmp_path):
    images = X.reshape(300, 5, 1, 1)
    model = linear((5, 1, 1))
    written = tf_mwn.audit(model, images, Y).write(tmp_path, images=5)
    assert written[-1].read_bytes().startswith(b"\x89PNG")
    assert len(tf_mwn.audit(model, images, Y).write(tmp_path, images=0)) == 2


def test_weights_are_those_of_the_model():
    model = tf_mwn.MetaWeightNet(linear())
    model.compile("sgd")
    audit = tf_mwn.audit(model, X, Y)
    np.testing.assert_allclose(audit.weight, model.weight_net(audit.loss), rtol=1e-5)
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None)
    np.testing.assert_allclose(
        audit.loss, cross_entropy(Y, model.classifier(X)), rtol=1e-5, atol=1e-6
    )


def test_one_hot_labels_are_classes():
    one, two = (tf_mwn.audit(linear(), X, y) for y in (Y, np.eye(3, dtype="float32")[Y]))
    np.testing.assert_array_equal(one.log_odds, two.log_odds)


def test_several_inputs():
    left, right = X[:, :4], X[:, 3:]
    audit = tf_mwn.audit(two_inputs(), (left, right), Y)
    assert audit.trust.shape == (300,)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(y=Y[:-1]), "300"),
        (dict(y=Y + 1), "y"),
        (dict(y=np.ones((300, 3), "float32")), "sum to 1"),  # several labels per example
        (dict(sample_id=np.zeros(300, int)), "sample_id: expected unique ids"),
        (dict(class_names=["a"]), "class_names: expected 3"),
        (dict(y_clean=Y[:5]), "y, y_clean: .* received 300, 5"),
        (dict(x_meta=X[:3], y_meta=np.array([0, 1, 7])), "y_meta"),
    ],
)
def test_mistakes(arguments, message):
    given = {"x": X, "y": Y, **arguments}
    with pytest.raises(ValueError, match=message):
        tf_mwn.audit(linear(), **given)


def test_models_that_cannot_be_audited():
    with pytest.raises(TypeError, match="keras.Model"):
        tf_mwn.audit(lambda x: x, X, Y)
    softmax = keras.Sequential([mlp(), keras.layers.Softmax()])
    with pytest.raises(ValueError, match="logits"):
        tf_mwn.audit(softmax, X, Y)
