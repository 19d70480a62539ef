"""What speaks for or against a claim: runs, a number per seed, and the interval they give."""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tf_mwn.reproduction import intervals
from tf_mwn.reproduction.intervals import Interval
from tf_mwn.reproduction.planned_runs import (
    Planned,
    PlannedRun,
    PlannedStudy,
    decided,
    settings_for,
)
from tf_mwn.runs.run import FINISHED, Run
from tf_mwn.search.study_plan import StudyPlan

NOT_RUN = "not run"

Measure = Callable[[Run], float | None]


@dataclasses.dataclass(frozen=True)
class Scene:
    """Data and their bias: a recipe, and the settings that differ from it."""

    title: str
    recipe: str
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def decided(self) -> dict[str, Any]:
        """The settings that no flag changes."""
        return decided(self.recipe, self.settings)


@dataclasses.dataclass(frozen=True)
class Arm:
    """One way to train on a scene; its settings are what a claim varies."""

    scene: Scene
    method: str
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def runs(self, seeds: Sequence[int], common: Mapping[str, Any]) -> list[PlannedRun]:
        """A run per seed; `common` settings hold for every claim."""
        own = {**self.scene.decided, **self.settings}
        settings = settings_for(self.method, common, own)
        return [PlannedRun.make(self.scene.recipe, settings, self.method, s) for s in seeds]


@dataclasses.dataclass(frozen=True)
class Context:
    """Where a claim is measured: the folder, the seeds, and settings for all runs."""

    workdir: Path
    seeds: tuple[int, ...]
    common: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def values(self, arm: Arm, measure: Measure) -> list[float | None]:
        """The measure of each seed's finished run."""
        return [measure(planned.run(self.workdir)) for planned in arm.runs(self.seeds, self.common)]


@dataclasses.dataclass(frozen=True)
class Finding:
    """What one piece of evidence was found to be.

    Attributes:
        label: what was measured.
        unit: of the values.
        values: per seed; empty where there is one number for all.
        interval: of what is compared with the threshold.
        threshold, above: the claim wants it above (or below) the threshold.
        verdict: `HOLDS`, `FAILS`, `UNDECIDED`, or `NOT_RUN` without finished runs.
    """

    label: str
    unit: str
    values: tuple[float, ...]
    interval: Interval | None
    threshold: float
    above: bool
    verdict: str


@dataclasses.dataclass(frozen=True)
class Evidence:
    """One number with an interval, against a threshold.

    Attributes:
        label: what is measured.
        unit: of the number.
        threshold: what it is compared with.
        above: whether the claim wants it above the threshold.
    """

    label: str
    unit: str
    threshold: float = dataclasses.field(default=0.0, kw_only=True)
    above: bool = dataclasses.field(default=True, kw_only=True)

    def runs(self, context: Context) -> list[Planned]:
        """What has to be trained."""
        raise NotImplementedError

    def measured(self, context: Context) -> tuple[Sequence[float | None], Interval]:
        """Values per seed, and the interval; all runs are finished."""
        raise NotImplementedError

    def find(self, context: Context) -> Finding:
        given = {"threshold": self.threshold, "above": self.above}
        if any(run.state(context.workdir) != FINISHED for run in self.runs(context)):
            return Finding(self.label, self.unit, (), None, verdict=NOT_RUN, **given)
        values, interval = self.measured(context)
        verdict = interval.verdict(self.threshold, self.above)
        return Finding(self.label, self.unit, tuple(values), interval, verdict=verdict, **given)


@dataclasses.dataclass(frozen=True)
class Paired(Evidence):
    """Mean over seeds of a measure or its difference between two arms, or geometric mean of ratios.

    Attributes:
        measure: of a finished run.
        first: the arm.
        second: what it is compared with, seed by seed; None for the measure itself.
        ratio: first / second instead of first - second.
    """

    measure: Measure = dataclasses.field(kw_only=True)
    first: Arm = dataclasses.field(kw_only=True)
    second: Arm | None = dataclasses.field(default=None, kw_only=True)
    ratio: bool = dataclasses.field(default=False, kw_only=True)

    def runs(self, context):
        arms = [arm for arm in (self.first, self.second) if arm is not None]
        return [run for arm in arms for run in arm.runs(context.seeds, context.common)]

    def measured(self, context):
        values = np.array(context.values(self.first, self.measure), float)
        if self.second is not None:
            other = np.array(context.values(self.second, self.measure), float)
            with np.errstate(divide="ignore", invalid="ignore"):
                values = values / other if self.ratio else values - other
        return _with_interval(values, logarithmic=self.ratio)


@dataclasses.dataclass(frozen=True)
class DeviationRatio(Evidence):
    """Deviation over seeds of one arm, over that of another."""

    measure: Measure = dataclasses.field(kw_only=True)
    first: Arm = dataclasses.field(kw_only=True)
    second: Arm = dataclasses.field(kw_only=True)

    def runs(self, context):
        arms = (self.first, self.second)
        return [run for arm in arms for run in arm.runs(context.seeds, context.common)]

    def measured(self, context):
        both = [context.values(arm, self.measure) for arm in (self.first, self.second)]
        return (), intervals.deviation_ratio_interval(*both)


@dataclasses.dataclass(frozen=True)
class Spread(Evidence):
    """Deviation between arms, over the deviation of the seeds of one arm."""

    measure: Measure = dataclasses.field(kw_only=True)
    arms: tuple[Arm, ...] = dataclasses.field(kw_only=True)

    def runs(self, context):
        return [run for arm in self.arms for run in arm.runs(context.seeds, context.common)]

    def measured(self, context):
        groups = np.array([context.values(arm, self.measure) for arm in self.arms], float)
        return (), intervals.group_deviation_interval(groups)


@dataclasses.dataclass(frozen=True)
class Studied(Evidence):
    """A difference or ratio between two rows of a study, seed by seed.

    Attributes:
        scene: of the study.
        method: the adaptive method.
        first, second: names of rows.
        ratio: of their costs, instead of the difference of their accuracies.
    """

    scene: Scene = dataclasses.field(kw_only=True)
    method: str = dataclasses.field(kw_only=True)
    first: str = dataclasses.field(kw_only=True)
    second: str = dataclasses.field(kw_only=True)
    ratio: bool = dataclasses.field(default=False, kw_only=True)

    def runs(self, context):
        settings = settings_for(self.method, context.common, self.scene.decided)
        plan = StudyPlan.make(self.scene.recipe, settings, self.method, context.seeds)
        return [PlannedStudy(plan)]

    def measured(self, context):
        (study,) = self.runs(context)
        rows = study.rows(context.workdir)
        first, second = rows[self.first], rows[self.second]
        if self.ratio:  # counted, not measured: no interval
            exact = first["cost"] / second["cost"]
            return (), Interval(exact, exact, exact)
        pairs = zip(first["results"], second["results"], strict=True)
        key = "last_epoch_accuracy"
        return _with_interval(np.array([100 * (a[key] - b[key]) for a, b in pairs]))


def _with_interval(
    values: np.ndarray, logarithmic: bool = False
) -> tuple[tuple[float, ...], Interval]:
    """Values [n] and the interval of their mean, or of their geometric mean.

    The interval says nothing where a value is not a number, or has no logarithm.
    """
    shown = tuple(values.tolist())
    if not np.isfinite(values).all() or (logarithmic and (values <= 0).any()):
        return shown, Interval(math.nan, -math.inf, math.inf)
    if not logarithmic:
        return shown, intervals.mean_interval(values)
    logs = intervals.mean_interval(np.log(values))
    return shown, Interval(*(float(np.exp(limit)) for limit in dataclasses.astuple(logs)))
