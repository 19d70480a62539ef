"""Metrics that compare with thresholds between 0 and 1 see probabilities, not logits."""

import keras
import numpy as np
import pytest

from tests.models import batch, mlp
from tf_mwn import CrossEntropy
from tf_mwn.training.metrics import metrics_on_logits

M = keras.metrics
# Sure, and of both signs: logits between 0 and 0.5 tell a threshold of 0.5 from one of 0.
Z = np.array([-2.0, 0.2, 3.0, -0.4, 0.3, -1.0], "float32")
Y = np.array([0, 1, 1, 1, 0, 0])
ONE, TWO = Z[:, np.newaxis], np.stack([-Z / 2, Z / 2], axis=1)


def value(metric, labels, logits):
    (metric,) = metrics_on_logits([metric], logits.shape[1])
    metric.update_state(labels, logits)
    return float(metric.result())


@pytest.mark.parametrize("logits", [ONE, TWO], ids=["one", "two"])
@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("AUC", 7 / 9),  # of 9 pairs, 0.2 < 0.3, and -0.4 < 0.3, are in the wrong order
        (M.AUC(num_thresholds=2000), 7 / 9),
        ("Precision", 2 / 3),
        (M.Recall(), 2 / 3),
        (M.BinaryAccuracy(), 4 / 6),
    ],
)
def test_two_classes_by_hand(metric, expected, logits):
    if isinstance(metric, M.Metric):
        metric = type(metric).from_config(metric.get_config())
    assert value(metric, Y, logits) == pytest.approx(expected, abs=5e-3)


def test_accuracy_of_one_logit_is_that_of_its_sign():
    assert value("accuracy", Y, ONE) == pytest.approx(4 / 6)


def test_metrics_for_logits_stay_as_they_are():
    kept = [M.AUC(from_logits=True), M.Precision(thresholds=0), M.BinaryAccuracy(threshold=0.0)]
    assert metrics_on_logits(kept, 1) == kept
    assert metrics_on_logits(["accuracy", abs], 3) == ["accuracy", abs]
    assert metrics_on_logits(None, 3) is None


def test_more_classes_are_labels_of_one_metric():
    logits = np.log(np.array([[0.7, 0.2, 0.1], [0.3, 0.6, 0.1]], "float32"))
    assert value("precision", np.array([0, 0]), logits) == pytest.approx(0.5)
    assert value("precision", np.eye(3)[[0, 0]], logits) == pytest.approx(0.5)


def test_they_train_and_are_saved(tmp_path):
    x, y = batch([(5,)], 12, 0)
    model = CrossEntropy(mlp())
    model.compile("sgd", metrics=["AUC"])
    found = model.evaluate(x, y, verbose=0, return_dict=True)
    assert set(found) == {"loss", "AUC"}
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.evaluate(x, y, verbose=0, return_dict=True) == pytest.approx(found)


def test_labels_in_a_column_are_class_numbers():
    assert value("AUC", Y[:, np.newaxis], TWO) == value("AUC", Y, TWO)
    logits = np.concatenate([TWO, -ONE], axis=1)
    assert value("AUC", Y[:, np.newaxis], logits) == value("AUC", Y, logits)
