"""Time and memory of training steps, as ratios to plain cross-entropy."""

import dataclasses
import itertools
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from tf_mwn.benchmark import memory
from tf_mwn.benchmark.plan import Case, Images
from tf_mwn.benchmark.step import Step

_WARM_UP = 2  # rounds
# Blocks of steps that tell how long a step waits for its data: pairs of them, and the length of
# one; short steps need many, long ones cannot have them.
_STALL_PAIRS, _STALL_SECONDS, _STALL_STEPS = 3, 1.0, 5


@dataclasses.dataclass(frozen=True)
class StepCost:
    """What one case costs.

    Attributes:
        case: method and settings.
        milliseconds: median time of one step on a batch that is there; the mean over a cycle of
            `meta_interval` steps.
        ratio: median over rounds of this step's time over the baseline's in the same round.
        tracing_seconds: time of the first step (of each kind), which builds it.
        stall: what reading the training stream adds to a step's time, as a fraction of it; None
            where it was not measured.
        megabytes: largest resident set while training, above that with the built model; None
            where it was not measured.
        memory_ratio: of `megabytes` to the baseline's.
    """

    case: Case
    milliseconds: float
    ratio: float
    tracing_seconds: float
    stall: float | None = None
    megabytes: float | None = None
    memory_ratio: float | None = None

    def to_json(self) -> dict[str, Any]:
        costs = {k: v for k, v in vars(self).items() if k != "case"}
        return {"method": self.case.method, **self.case.settings, **costs}


def measure(
    cases: Sequence[Case],
    rounds: int,
    images: Images,
    devices: Mapping[int, tf.distribute.Strategy],
    with_stall: bool = True,
    with_memory: bool = False,
) -> list[StepCost]:
    """Measures steps on synthetic images.

    Cases of one network and batch size are timed together, in this process: every round takes a
    step of each in turn, so that a change in the machine's load hits all of them. Memory is
    measured in a fresh process for each case.

    Args:
        cases: what to measure, each with its baseline among them.
        rounds: timed steps of each case.
        images: of the synthetic set.
        devices: what trains, by the number of devices.
        with_stall, with_memory: whether to measure these too.

    Raises:
        ValueError, TypeError: settings that do not fit.
        StepError: a step cannot be built or taken.
    """
    costs = {}
    for _, group in itertools.groupby(cases, lambda c: (c.config.network, c.config.batch_size)):
        steps = [Step(case, images, devices[case.config.devices]) for case in group]
        for step in steps:
            step.trace()
        costs.update(_timed(steps, rounds))
        if with_stall:
            for step in steps:
                cost = costs[step.case]
                stall = _stall(step, cost.milliseconds / 1000)
                costs[step.case] = dataclasses.replace(cost, stall=stall)
    if with_memory:
        megabytes = {case: memory.megabytes(case, images) for case in cases}
        for case, size in megabytes.items():
            ratio = size / megabytes[case.baseline]
            costs[case] = dataclasses.replace(costs[case], megabytes=size, memory_ratio=ratio)
    return [costs[case] for case in cases]


def _timed(steps: Sequence[Step], rounds: int) -> dict[Case, StepCost]:
    seconds = {step.case: [] for step in steps}
    for number in range(rounds + _WARM_UP):
        for step in steps:
            one = step.seconds()
            if number >= _WARM_UP:
                seconds[step.case].append(one)
    return {step.case: _cost(step, seconds) for step in steps}


def _cost(step: Step, seconds: dict[Case, list[float]]) -> StepCost:
    own, baseline = seconds[step.case], seconds[step.case.baseline]
    ratio = statistics.median(a / b for a, b in zip(own, baseline, strict=True))
    return StepCost(step.case, 1000 * statistics.median(own), ratio, step.tracing_seconds)


def _stall(step: Step, seconds: float) -> float:
    length = max(_STALL_STEPS, int(_STALL_SECONDS / seconds))
    return statistics.median(
        step.block_seconds(length, streamed=True) / step.block_seconds(length, streamed=False) - 1
        for _ in range(_STALL_PAIRS)
    )
