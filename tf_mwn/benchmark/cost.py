"""Time and memory of training steps, and their ratios to plain cross-entropy."""

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
# The stall is measured on pairs of blocks of steps. A block takes about so many seconds, but has at
# least so many steps: short steps vary more, and long steps take too long for many.
_STALL_PAIRS, _STALL_SECONDS, _STALL_STEPS = 3, 1.0, 5


@dataclasses.dataclass(frozen=True)
class StepCost:
    """The cost of one case.

    Attributes:
        case: method and settings.
        milliseconds: median time of one step on a batch in memory, averaged over a cycle of
            `meta_interval` steps.
        ratio: time of the step over that of the baseline in the same round; median over rounds.
        tracing_seconds: time of the first step of each kind, which includes building the step.
        stall: time that reading the training stream adds to a step, as a fraction of the step;
            None if it was not measured.
        megabytes: largest resident set in training above that of the built model; None if it was
            not measured.
        memory_ratio: `megabytes` over that of the baseline; None if it was not measured.
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

    Cases of one network and batch size are timed together in this process. Every round takes one
    step of each, so that a change in the machine's load affects all of them. Memory is measured
    in a new process for each case.

    Args:
        cases: the cases, including the baseline of each.
        rounds: number of timed steps of each case.
        images: of the synthetic data.
        devices: the strategy for each number of devices.
        with_stall, with_memory: whether to measure stall and memory too.

    Raises:
        ValueError, TypeError: the settings of a case do not fit together.
        StepError: a step cannot be built or executed.
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
