"""Phases, snapshots, whole sets, and what a method may ask of a classifier between epochs."""

import keras
import numpy as np
import pytest

from tests.training.small_classifier import X, Y, classifier, fitted
from tf_mwn.data.streams.pipeline import paired_dataset
from tf_mwn.training.cross_entropy import CrossEntropy
from tf_mwn.training.phases import Phases, Snapshot


@keras.saving.register_keras_serializable(package="tests")
class InPhases(CrossEntropy):
    """Records its host hooks and the phase that each step was traced in."""

    def __init__(self, classifier, **kwargs):
        super().__init__(classifier, **kwargs)
        self.phases = Phases(self, {"first": 2, "second": 1})
        self.calls = []

    def begin_epoch(self):
        self.calls.append("begin")
        super().begin_epoch()

    def begin_phase(self, phase):
        self.calls.append(phase)

    def end_epoch(self):
        super().end_epoch()
        self.calls.append("end")

    def training_part(self, element, labels):
        self.calls.append(f"traced in {self.phases.current}")
        return super().training_part(element, labels)


def test_hooks_come_around_every_epoch_and_once_per_phase():
    model = fitted(InPhases(classifier()), epochs=4)
    hooks = [call for call in model.calls if not call.startswith("traced")]
    two = ["begin", "end"]
    assert hooks == ["begin", "first", "end", *two, "begin", "second", "end", *two]
    assert model.num_epochs == 3 and model.phases.epochs_done == 4
    traced = [call for call in model.calls if call.startswith("traced")]
    assert traced[-1] == "traced in second" and set(traced[:-1]) == {"traced in first"}


def test_hooks_run_before_the_users_callbacks_whatever_form_those_have():
    for form in (list, lambda callbacks: callbacks[0], keras.callbacks.CallbackList):
        model, seen = InPhases(classifier()), []
        look = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs, m=model, s=seen: s.append(m.phases.epochs_done)
        )
        fitted(model, epochs=2, callbacks=form([look]))
        assert seen == [1, 2]
        assert model.phases.epochs_done == 2


def test_a_saved_model_goes_on_in_its_phase(tmp_path):
    model = fitted(InPhases(classifier()), epochs=2)
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert loaded.phases.current == "second" and loaded.phases.is_starting


@pytest.mark.parametrize("length", [0, 1.5, True])
def test_lengths_are_positive_integers(length):
    with pytest.raises((ValueError, TypeError), match="only: expected an integer of at least 1"):
        Phases(CrossEntropy(classifier()), {"only": length})


def test_a_snapshot_goes_back_and_is_state():
    model = CrossEntropy(classifier())
    variables = model.classifier.trainable_variables
    before = [v.numpy() for v in variables]
    snapshot = Snapshot(model, "start", variables)
    assert len(model.non_trainable_variables) >= len(variables)
    for variable in variables:
        variable.assign(variable + 1)
    snapshot.restore()
    for variable, value in zip(variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)


@pytest.mark.parametrize(
    "optimizer",
    [keras.optimizers.SGD(0.1, momentum=0.9), keras.optimizers.Nadam(0.1)],
    ids=["sgd", "nadam"],
)
def test_a_reset_optimizer_is_a_new_one(optimizer):
    """Nadam has a slot that starts at 1."""
    model = CrossEntropy(classifier())
    config = optimizer.get_config()
    model.compile(optimizer)
    data = paired_dataset(X, Y, None, None, 20)
    start = [v.numpy() for v in model.optimizer.variables]
    model.fit(data, epochs=2, verbose=0)
    model.reset_optimizer()
    for variable, value in zip(model.optimizer.variables, start, strict=True):
        np.testing.assert_array_equal(variable, value)
    assert model.optimizer.get_config() == config
