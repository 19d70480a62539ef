"""What TensorBoard is given: curves that are right, few pictures, rows that average the seeds."""

import resource
import types

import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import average_precision_score
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.models import mlp
from tests.tensorboard_rows import session_groups
from tf_mwn.methods.meta_weight_net.meta_weight_net import MetaWeightNet
from tf_mwn.monitoring import event_files, figures, hparams, precision_recall
from tf_mwn.monitoring.measures import mean_weight_by_class
from tf_mwn.monitoring.tensorboard import TensorBoardMonitor
from tf_mwn.settings.config import Config

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


def test_counts_by_hand():
    true, false, true_negative, missed, precision, recall = precision_recall.counts(
        np.array([0.0, 0.305, 0.305, 1.0]), np.array([False, True, False, True])
    )
    for threshold, expected in ((0, (2, 2, 0, 0)), (30, (2, 1, 1, 0)), (31, (1, 0, 2, 1))):
        found = [values[threshold] for values in (true, false, true_negative, missed)]
        assert tuple(found) == expected
    assert (precision[30], recall[30]) == (2 / 3, 1)
    assert (precision[100], recall[100]) == (1, 0.5)


def test_the_curve_is_the_one_of_scikit_learn():
    """Scores on the thresholds themselves, where both see the same ties."""
    is_positive = RNG.random(500) < 0.3
    scores = RNG.integers(0, 101, 500) / 100 + 1e-9
    *_, precision, recall = precision_recall.counts(scores, is_positive)
    area = -np.sum(np.diff([*recall, 0.0]) * precision)
    assert area == pytest.approx(average_precision_score(is_positive, scores))


def test_curves_of_nothing_are_finite():
    for is_positive in (np.zeros(3, bool), np.ones(3, bool)):
        assert np.isfinite(precision_recall.counts(np.zeros(3), is_positive)).all()


def test_mean_weight_by_class_by_hand():
    means = mean_weight_by_class(np.array([0.1, 0.5, 0.9, 0.7]), LABELS, 4)
    np.testing.assert_allclose(means, [0.1, 0.6, 0.9, np.nan])


def test_confusion_is_drawn_in_parts_of_each_class():
    figure = figures.confusion(np.array([[3, 1], [0, 0]]), ["cat", "dog"], "")
    drawn = figure.axes[0].get_images()[0].get_array()
    np.testing.assert_allclose(drawn, [[0.75, 0.25], [0, 0]])
    assert [text.get_text() for text in figure.axes[0].texts] == ["75", "25"]


@pytest.mark.parametrize(("epochs", "pictured"), [(2, [1, 2]), (11, [2, 4, 6, 8, 10, 11])])
def test_ten_epochs_at_most_have_other_pictures_and_the_last_has(epochs, pictured, tmp_path):
    found, _ = monitored(tmp_path, epochs)
    for tag in ("weights/by_class", "test/confusion", "test/all/pr_curves"):
        assert steps(found, tag) == pictured
    for tag in ("train/loss", "weights/all", "weights/curve"):
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


def test_a_method_is_one_row_with_the_mean_of_its_seeds(tmp_path):
    for method, accuracies in {"one": (0.5, 0.7), "two": (0.9,)}.items():
        for seed, accuracy in enumerate(accuracies):
            path = tmp_path / method / f"seed{seed}"
            with tf.summary.create_file_writer(str(path)).as_default(step=3):
                tf.summary.scalar("test/accuracy", accuracy)
            for _ in range(2):  # the second time in place of the first
                hparams.write_run(path, "quickstart", method, Config().to_json())
            assert len(list(path.glob("events.*.hparams"))) == 1
    groups = {group.hparams["method"].string_value: group for group in session_groups(tmp_path)}
    assert {name: len(group.sessions) for name, group in groups.items()} == {"one": 2, "two": 1}
    means = {name: group.metric_values[0].value for name, group in groups.items()}
    assert means == {"one": pytest.approx(0.6), "two": pytest.approx(0.9)}


def test_an_event_file_that_cannot_be_written_is_an_error_of_the_disk(tmp_path):
    """By a limit on the size of files, which needs no rights; a full disk fails in that call."""
    nothing = types.SimpleNamespace(weights=None)
    monitor = TensorBoardMonitor(tmp_path, nothing, {"text": "x" * 2**20}, 99, ("a",))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**19, before[1]))
    try:
        with pytest.raises(OSError, match="File too large") as failed:
            hparams.write_trial(tmp_path, "x" * 2**20, {}, {}, False)
        assert failed.value.filename == str(tmp_path)
        with pytest.raises(OSError, match="File too large"):
            monitor.on_train_begin()
            monitor.on_epoch_end(0, {"loss": 1.0})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_other_errors_in_such_a_block_stay_what_they_are(tmp_path):
    with pytest.raises(tf.errors.InvalidArgumentError), event_files.events(tmp_path):
        tf.linalg.inv(tf.zeros([2, 2]))
