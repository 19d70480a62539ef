"""Predictions: accuracy is that of Keras, and memorised labels are counted."""

import numpy as np
import pytest

from tests.models import mlp
from tests.monitoring.evaluated_data import biased, evaluated
from tf_mwn.methods.meta_weight_net.meta_weight_net import MetaWeightNet
from tf_mwn.monitoring.classification import accuracy


def test_evaluation_equals_keras_and_counts_memorisation():
    model, data = MetaWeightNet(mlp()), biased()
    logs, callback = evaluated(model, data)
    logits = model.predict(data.test.x, verbose=0)
    assert logs["test_accuracy"] == accuracy(logits, data.test.label)
    logits = model.predict(data.meta.x, verbose=0)
    assert logs["meta_accuracy"] == accuracy(logits, data.meta.label)
    predicted = model.predict(data.train.x, verbose=0).argmax(axis=1)
    wrong = data.train.label != data.train.clean_label
    assert logs["memorised"] == np.mean((predicted == data.train.label)[wrong])
    assert callback.weights.shape == (40,) and wrong.sum() == 10
    assert logs["learning_rate"] == 0.25 and logs["meta_learning_rate"] == pytest.approx(1e-3)
