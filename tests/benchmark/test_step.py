"""The step that is measured, and the shares of the devices."""

import numpy as np
import pytest
import tensorflow as tf

from tests.benchmark.tiny_cases import TINY, settings
from tf_mwn.benchmark.plan import BASELINE, KERAS, Case
from tf_mwn.benchmark.step import Step, step_of


def test_shares_that_a_device_would_not_get(mirrored):
    case = Case.make("cross_entropy", {**settings(), "batch_size": 1})
    with pytest.raises(ValueError, match="batch_size: expected a share for each of 2 devices"):
        Step(case, TINY, mirrored)


def test_a_cycle_is_the_mean_over_its_steps(monkeypatch):
    """Every third step learns: (7 + 1 + 1) / 3, each kind taken once."""
    case = Case.make("meta_weight_net", settings(meta_interval=3))
    step = Step(case, TINY, tf.distribute.get_strategy())
    taken = []

    def block(feed, steps):
        taken.append(step._model.step_kind()[1])
        return 7.0 if taken[-1] else 1.0

    monkeypatch.setattr(step, "_block", block)
    assert step.seconds() == 3.0 and taken == [True, False]
    fast = Case.make("meta_weight_net", settings(speed="fast"))
    assert Step(fast, TINY, tf.distribute.get_strategy()).cycle == 5


@pytest.mark.parametrize("method", [KERAS, BASELINE])
def test_steps_on_two_devices(method, mirrored):
    step = step_of(Case.make(method, settings(devices=2)), TINY, mirrored)
    step.trace()
    assert step.block_seconds(2, streamed=True) > 0


def test_plain_keras_takes_the_plain_step():
    """From the same weights on the same batch, without momentum and weight decay so far."""
    alone = tf.distribute.get_strategy()
    steps = [step_of(Case.make(name, settings()), TINY, alone) for name in (KERAS, BASELINE)]
    classifiers = [steps[0]._model, steps[1]._model.classifier]
    classifiers[0].set_weights(classifiers[1].get_weights())
    for step in steps:
        step._model.optimizer.weight_decay = None
        step.seconds()
    for one, other in zip(*(c.get_weights() for c in classifiers), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


# Those that train in phases, look at whole sets, learn something first or have their own stream.
@pytest.mark.parametrize(
    ("method", "phase"),
    [
        ("cmw_net", "weighted"),
        ("learning_to_teach", "final"),
        ("glc", "corrected_epochs"),
        ("fwl", "fwl_epochs"),
        ("s_model", "channel_epochs"),
        ("mentornet_dd", None),
        ("co_teaching", None),
        ("resampling", None),
    ],
)
def test_the_step_of_a_method_is_that_of_its_last_phase(method, phase):
    step = Step(Case.make(method, settings()), TINY, tf.distribute.get_strategy())
    assert step.seconds() > 0
    phases = step._model.phases
    assert phase == (None if phases is None else phases.current)
