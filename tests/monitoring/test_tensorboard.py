"""What TensorBoard is given: curves that are right, few pictures, rows that average the seeds."""

import types

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.models import mlp
from tf_mwn.methods.meta_weight_net.meta_weight_net import MetaWeightNet
from tf_mwn.monitoring import precision_recall
from tf_mwn.monitoring.tensorboard import TensorBoardMonitor, curve_of
from tf_mwn.training.cross_entropy import CrossEntropy

RNG = np.random.default_rng(0)


LABELS = np.array([0, 1, 2, 1])


WRONG = np.array([True, False, False, False])


def events(path):
    accumulator = EventAccumulator(str(path), size_guidance={"tensors": 0})
    accumulator.Reload()
    return accumulator


def steps(accumulator, tag):
    return [event.step for event in accumulator.Tensors(tag)]


def monitored(path, epochs, names=("a", "b", "c"), is_wrong=WRONG):
    """Event files of so many epochs, from measures that are given: no network is there to run."""
    evaluation = types.SimpleNamespace(
        weights=np.array([0.1, 0.5, 0.9, 0.7]),
        is_wrong=is_wrong,
        sample=types.SimpleNamespace(label=LABELS),
        test_logits=RNG.normal(size=(8, len(names))).astype("float32"),
        test_labels=np.arange(8) % 3,
    )
    monitor = TensorBoardMonitor(path, evaluation, {"seed": 0}, epochs, names)
    monitor.set_model(MetaWeightNet(mlp()))
    monitor.on_train_begin()
    for epoch in range(epochs):
        monitor.on_epoch_end(epoch, {"loss": 1.0, "noise_auc": None, "hyper_q": 0.5 + epoch})
    monitor.on_train_end()
    return events(path), evaluation


@pytest.mark.parametrize(("epochs", "pictured"), [(2, [1, 2]), (11, [2, 4, 6, 8, 10, 11])])
def test_ten_epochs_at_most_have_pictures_and_the_last_has(epochs, pictured, tmp_path):
    found, _ = monitored(tmp_path, epochs)
    for tag in ("weights/by_class", "weights/curve", "test/confusion", "test/all/pr_curves"):
        assert steps(found, tag) == pictured
    for tag in ("train/loss", "weights/all"):
        assert steps(found, tag) == [*range(1, epochs + 1)]
    assert "weights/noise_auc" not in found.Tags()["tensors"]


def test_weights_of_classes_and_of_wrong_labels_apart(tmp_path):
    found, evaluation = monitored(tmp_path, 1)

    def value(tag):
        return tf.make_ndarray(found.Tensors(tag)[-1].tensor_proto)

    assert value("weights/wrong_labels")[:, 2].sum() == 1  # buckets: left, right, count
    assert value("weights/correct_labels")[:, 2].sum() == 3
    assert value("mean_weight_of_class/b") == pytest.approx(0.6)
    assert value("hyper_parameters/q") == 0.5
    probabilities = tf.nn.softmax(evaluation.test_logits).numpy()[:, 1]
    expected = precision_recall.counts(probabilities, evaluation.test_labels == 1)
    np.testing.assert_allclose(value("test/b/pr_curves"), expected, rtol=1e-6)


def test_many_classes_are_not_shown_one_by_one(tmp_path):
    found, _ = monitored(tmp_path, 1, names=[f"c{i}" for i in range(30)], is_wrong=None)
    tags = found.Tags()["tensors"]
    assert "test/all/pr_curves" in tags and "test/c0/pr_curves" not in tags
    assert "weights/by_class" in tags and "mean_weight_of_class/c0" not in tags
    assert "weights/wrong_labels" not in tags


def test_the_curve_is_the_weight_net():
    model = MetaWeightNet(mlp())
    losses, weights = curve_of(model, largest_loss=3.0)
    assert losses[0] == 0 and losses[-1] == 3
    np.testing.assert_allclose(weights, model.weight_net(losses), rtol=1e-6)
    assert curve_of(CrossEntropy(mlp())) is None
