"""Callbacks: what they add to the logs, and when they stop a run."""

import keras
import numpy as np
import pytest

from tests.models import mlp
from tests.monitoring.evaluated_data import biased, evaluated
from tf_mwn.losses.poly_soft import PolySoft
from tf_mwn.methods.losses.learned_loss import LearnedLoss
from tf_mwn.methods.losses.posthoc_adjustment import PosthocAdjustment
from tf_mwn.methods.meta_weight_net.meta_weight_net import MetaWeightNet
from tf_mwn.monitoring.callbacks import (
    EpochEvaluation,
    NonFiniteLossError,
    StepTimer,
    StopOnNonFiniteLoss,
    trajectories_of,
)
from tf_mwn.monitoring.classification import accuracy
from tf_mwn.monitoring.predictions import Predictor
from tf_mwn.training.cross_entropy import CrossEntropy
from tf_mwn.training.meta_learned import MetaLearnedModel


def test_weights_change_from_the_beginning_of_training_on():
    model, data = MetaWeightNet(mlp()), biased()
    model.compile(keras.optimizers.SGD(0.25))
    callback = EpochEvaluation(data, Predictor(model, lambda x: x))
    callback.set_model(model)
    callback.on_train_begin()
    first, logs = callback.weights, {}
    callback.on_epoch_end(0, logs)
    assert logs["weight_change"] == 0.0
    for variable in model.weight_net.trainable_variables:
        variable.assign(-variable)
    callback.on_epoch_end(1, logs)
    second = callback.weights
    expected = np.abs(second / second.mean() - first / first.mean()).mean()
    assert logs["weight_change"] == pytest.approx(expected, rel=1e-5) and expected > 1e-3


def test_without_weights_or_clean_labels_there_are_no_such_measures():
    logs, callback = evaluated(CrossEntropy(mlp()), biased())
    assert callback.weights is None and "noise_auc" not in logs and "memorised" in logs
    logs, _ = evaluated(MetaWeightNet(mlp()), biased(clean_known=False))
    assert "memorised" not in logs and "noise_auc" not in logs and "mean_weight_all" in logs


def test_post_hoc_adjustment_has_the_accuracy_of_both_readings():
    model, data = PosthocAdjustment(mlp(), (1000, 10, 1)), biased()
    logs, _ = evaluated(model, data)
    plain = model.classifier.predict(data.test.x, verbose=0)
    corrected = model.predict(data.test.x, verbose=0)
    assert logs["test_accuracy_uncorrected"] == accuracy(plain, data.test.label)
    assert logs["test_accuracy"] == accuracy(corrected, data.test.label)
    assert logs["test_accuracy"] != logs["test_accuracy_uncorrected"]


def test_the_monitored_part_is_bounded_and_fixed():
    data = biased()
    predictor = Predictor(CrossEntropy(mlp()), lambda x: x)
    samples = [EpochEvaluation(data, predictor, monitored=7).sample for _ in range(2)]
    assert len(samples[0]) == 7
    np.testing.assert_array_equal(samples[0].sample_id, samples[1].sample_id)


@pytest.mark.parametrize("logs", [{"loss": float("nan")}, {"loss": 1.0, "meta_loss": float("inf")}])
def test_a_loss_that_is_not_finite_stops_and_says_where(logs):
    stop = StopOnNonFiniteLoss("some_method")
    stop.on_epoch_begin(4)
    stop.on_train_batch_end(6, {"loss": 1.0})
    message = "some_method: (meta_)?loss became (nan|inf) in epoch 5, step 8"
    with pytest.raises(NonFiniteLossError, match=message):
        stop.on_train_batch_end(7, logs)


def test_a_step_of_a_resumed_epoch_counts_from_the_beginning_of_the_epoch():
    stop = StopOnNonFiniteLoss("some_method", 5)
    stop.on_epoch_begin(4)
    with pytest.raises(NonFiniteLossError, match="in epoch 5, step 8"):
        stop.on_train_batch_end(2, {"loss": float("nan")})
    stop.on_epoch_end(4)
    stop.on_epoch_begin(5)
    with pytest.raises(NonFiniteLossError, match="in epoch 6, step 3"):
        stop.on_train_batch_end(2, {"loss": float("nan")})


def test_the_timer_gives_the_median(monkeypatch):
    times = iter([0.0, 5.0, 10.0, 10.1, 20.0, 20.2])  # steps of 5 (tracing), 0.1 and 0.2 s
    monkeypatch.setattr("time.perf_counter", lambda: next(times))
    timer, logs = StepTimer(), {}
    timer.on_epoch_begin(0)
    for step in range(3):
        timer.on_train_batch_begin(step)
        timer.on_train_batch_end(step)
    timer.on_epoch_end(0, logs)
    assert logs["seconds_per_step"] == pytest.approx(0.2)


def test_scalars_of_the_objective_are_logged_and_make_trajectories():
    learned = LearnedLoss(PolySoft(3.0, 2.5), {"lambda_": (1.1, 20), "d": (1.01, 20)})
    logs, _ = evaluated(MetaLearnedModel(mlp(), learned), biased())
    assert (logs["hyper_lambda"], logs["hyper_d"]) == (3.0, 2.5)
    history = [logs, {**logs, "hyper_d": 2.0}]
    assert trajectories_of(history) == {"lambda": [3.0, 3.0], "d": [2.5, 2.0]}
    logs, _ = evaluated(CrossEntropy(mlp()), biased())
    assert trajectories_of([logs]) == {}
