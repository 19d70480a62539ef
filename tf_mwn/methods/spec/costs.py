"""The costs of steps that several families share."""

import dataclasses

from tf_mwn.engine.meta_schedule import (
    LEARNING,
    WARM_UP,
    meta_schedule,
    warm_up_lengths,
)
from tf_mwn.engine.options import META_INTERVAL, META_START, REUSE_GRADIENT, SPEED
from tf_mwn.methods.spec.method import Passes, Phase, Settings
from tf_mwn.training.options import META_LEARNING_RATE


def in_effect(settings: Settings) -> Settings:
    """The settings of meta steps that hold: none is taken at a meta learning rate of 0."""
    if settings.get(META_LEARNING_RATE.name) != 0:
        return settings
    none = {META_INTERVAL.name: 0, SPEED.name: "exact", REUSE_GRADIENT.name: False}
    return {**settings, **none}


def meta_step(settings: Settings) -> Passes:
    """A step of `MetaLearnedModel`, averaged over the interval between two updates of Θ.

    An update adds the virtual gradient (2), the derivative along the meta gradient (2), and the
    forward and backward pass of the meta batch (3) to a plain step. Reusing the virtual gradient
    saves a backward pass (2). Recomputing adds a forward pass (1). A part of the batch is
    linearised by itself, which adds a forward pass of that part (1). The cost holds for all
    variables; fewer virtual variables cost less.
    """
    names = ("speed", "meta_interval", "meta_fraction", "reuse_gradient")
    settings = in_effect(settings)
    schedule = meta_schedule(*(settings[name] for name in names))
    if not schedule.interval:
        return Passes()
    interval, every = schedule.interval, schedule.every
    update = 4 - 2 * schedule.reuses + settings["recompute"] + (every > 1)
    return Passes(3 + update / every / interval, 3 / interval, meta_batch=1 / every)


def meta_training(
    settings: Settings, start: str = META_START.name, more: float = 0.0
) -> tuple[Phase, ...]:
    """Plain epochs up to the late start that the option `start` names, then `meta_step`s.

    `more` forward passes over the training batch are added to each of the latter.
    """
    step = meta_step(settings)
    step = dataclasses.replace(step, training=step.training + more)
    lengths = warm_up_lengths(settings["epochs"], settings[start])
    costs = {WARM_UP: Passes(), LEARNING: step}
    return tuple(Phase(name, epochs, costs[name]) for name, epochs in lengths.items())


def of_epochs(
    phases: tuple[Phase, ...], steps_per_epoch: int, batch_size: int, meta_batch_size: int
) -> list[float]:
    """The cost of the steps of each epoch, in forward passes of one example.

    Evaluation, data loading and a method's work between steps are not counted.
    """
    every = [phase.passes for phase in phases for _ in range(phase.epochs)]
    return [
        steps_per_epoch * (passes.training * batch_size + passes.meta * meta_batch_size)
        for passes in every
    ]
