"""Time and memory of training steps, and their ratios to plain training."""

import contextlib
import dataclasses
import itertools
import statistics
import time
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from tf_mwn.benchmark import memory
from tf_mwn.benchmark.peer import Peer, PeerCase
from tf_mwn.benchmark.plan import Case, Images
from tf_mwn.benchmark.step import Step, step_of
from tf_mwn.messages import logger

_WARM_UP = 2  # rounds
# The stall is measured on pairs of blocks of steps. A block takes about so many seconds, but has at
# least so many steps: short steps vary more, and long steps take too long for many.
_STALL_PAIRS, _STALL_SECONDS, _STALL_STEPS = 5, 0.3, 5
_SILENCE = 10.0  # seconds between two lines of progress


@dataclasses.dataclass(frozen=True)
class StepCost:
    """The cost of one case.

    Attributes:
        case: method and settings, or a peer.
        milliseconds: median time of one step on a batch in memory, averaged over a cycle of
            `meta_interval` steps.
        keras_ratio: time of the step over that of `keras.Model.fit` in the same round; median over
            rounds.
        ratio: the same over that of the plain step of this package.
        tracing_seconds: time of the first step of each kind, which includes building the step.
        stall: time that reading the training stream adds to a step, as a fraction of the step;
            None if it was not measured.
        megabytes: largest resident set in training above that of the built model; None if it was
            not measured.
        memory_ratio: `megabytes` over that of `keras.Model.fit`; None if it was not measured.
    """

    case: Case | PeerCase
    milliseconds: float
    keras_ratio: float
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
    peers: Sequence[PeerCase] = (),
) -> list[StepCost]:
    """Measures steps on synthetic images.

    Cases of one network and batch size are timed together in this process. Every round takes one
    step of each, so that a change in the machine's load affects all of them. Memory is measured
    in a new process for each case.

    Args:
        cases: the cases, including what each is compared with.
        rounds: number of timed steps of each case.
        images: of the synthetic data.
        devices: the strategy for each number of devices.
        with_stall, with_memory: whether to measure stall and memory too.
        peers: external commands that take their turn in each round.

    Raises:
        ValueError, TypeError: the settings of a case do not fit together, a peer is given twice, or
            there are peers and cases of several networks or batch sizes.
        StepError: a step cannot be built or executed.
    """
    groups = itertools.groupby(cases, lambda c: (c.config.network, c.config.batch_size))
    groups = [list(group) for _, group in groups]
    if peers and len(groups) > 1:
        raise ValueError(
            f"peer: expected one network and batch size beside a peer, received {len(groups)}"
        )
    for peer in peers:
        if peers.count(peer) > 1:
            raise ValueError(f"peer: expected each once, received {peer.command!r} twice")
    costs = {}
    with contextlib.ExitStack() as stack:
        for group in groups:
            steps = [step_of(case, images, devices[case.config.devices]) for case in group]
            others = [Peer(peer) for peer in peers]
            for other in others:
                stack.callback(other.close)
            for step in (*steps, *others):
                step.trace()
                logger.info("%s: first step %.1f s", step.case.name, step.tracing_seconds)
            costs.update(_timed(steps, others, rounds))
            if with_stall:
                costs.update(_with_stalls(steps, costs))
    if with_memory:
        costs.update(_with_memory(cases, costs, images))
    return [costs[case] for case in (*cases, *peers)]


def _timed(steps: Sequence[Step], peers: Sequence[Peer], rounds: int) -> dict[Case, StepCost]:
    every = [*steps, *peers]
    seconds, told = {step.case: [] for step in every}, time.monotonic()
    for number in range(rounds + _WARM_UP):
        for step in every:
            one = step.seconds()
            if number >= _WARM_UP:
                seconds[step.case].append(one)
        if time.monotonic() - told > _SILENCE:
            told = time.monotonic()
            logger.info("round %d of %d", number + 1, rounds + _WARM_UP)
    costs = {step.case: _cost(step, step.case, seconds) for step in steps}
    return {**costs, **{peer.case: _cost(peer, steps[0].case, seconds) for peer in peers}}


def _cost(step: Step | Peer, case: Case, seconds: dict[Case, list[float]]) -> StepCost:
    """Args: `case` says what the step is compared with."""
    own = seconds[step.case]

    def ratio(baseline: Case) -> float:
        return statistics.median(a / b for a, b in zip(own, seconds[baseline], strict=True))

    ratios = {"keras_ratio": ratio(case.plain_keras), "ratio": ratio(case.baseline)}
    median = 1000 * statistics.median(own)
    return StepCost(step.case, median, **ratios, tracing_seconds=step.tracing_seconds)


def _with_stalls(steps: Sequence[Step], costs: Mapping[Case, StepCost]) -> dict[Case, StepCost]:
    stalls = {s.case: _stall(s, costs[s.case].milliseconds / 1000) for s in steps}
    return {case: dataclasses.replace(costs[case], stall=stall) for case, stall in stalls.items()}


def _stall(step: Step, seconds: float) -> float:
    length = max(_STALL_STEPS, int(_STALL_SECONDS / seconds))
    return statistics.median(
        step.block_seconds(length, streamed=True) / step.block_seconds(length, streamed=False) - 1
        for _ in range(_STALL_PAIRS)
    )


def _with_memory(
    cases: Sequence[Case], costs: Mapping[Case, StepCost], images: Images
) -> dict[Case, StepCost]:
    sizes = {}
    for case in cases:
        sizes[case] = memory.megabytes(case, images)
        logger.info("%s: %.0f MB", case.name, sizes[case])
    return {
        case: dataclasses.replace(
            costs[case], megabytes=size, memory_ratio=size / sizes[case.plain_keras]
        )
        for case, size in sizes.items()
    }
