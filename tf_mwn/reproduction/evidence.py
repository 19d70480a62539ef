"""The evidence for a claim: runs, a number per seed, and the interval of these numbers."""

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
class Condition:
    """Biased data to train on: a recipe, and the settings that differ from it."""

    title: str
    recipe: str
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def decided(self) -> dict[str, Any]:
        """The settings that flags do not change."""
        return decided(self.recipe, self.settings)


@dataclasses.dataclass(frozen=True)
class Configuration:
    """A method under a condition, with the settings that the claim varies."""

    condition: Condition
    method: str
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def runs(self, seeds: Sequence[int], common: Mapping[str, Any]) -> list[PlannedRun]:
        """A run per seed. `common` are the settings that all claims share."""
        own = {**self.condition.decided, **self.settings}
        settings = settings_for(self.method, common, own)
        return [PlannedRun.make(self.condition.recipe, settings, self.method, s) for s in seeds]


@dataclasses.dataclass(frozen=True)
class Context:
    """Where a claim is measured: the folder, the seeds, and the settings of all runs."""

    workdir: Path
    seeds: tuple[int, ...]
    common: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def runs(self, *configurations: Configuration | None) -> list[PlannedRun]:
        """The runs of every configuration and seed."""
        given = [configuration for configuration in configurations if configuration is not None]
        return [run for each in given for run in each.runs(self.seeds, self.common)]

    def values(self, configuration: Configuration, measure: Measure) -> list[float | None]:
        """The measure of the finished run of each seed."""
        return [measure(planned.run(self.workdir)) for planned in self.runs(configuration)]


@dataclasses.dataclass(frozen=True)
class Finding:
    """The result of one piece of evidence.

    Attributes:
        label: what was measured.
        unit: of the values.
        values: per seed; empty if all seeds give one number together.
        interval: of the number that is compared with the threshold; None without finished runs.
        threshold: what the number is compared with.
        above: whether the claim expects the number above the threshold, or else below.
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
    """A number with an interval, compared with a threshold.

    Attributes:
        label: what is measured.
        unit: of the number.
        threshold: what the number is compared with.
        above: whether the claim expects the number above the threshold, or else below.
    """

    label: str
    unit: str
    _: dataclasses.KW_ONLY
    threshold: float = 0.0
    above: bool = True

    def runs(self, context: Context) -> list[Planned]:
        """The runs that the number needs."""
        raise NotImplementedError

    def measured(self, context: Context) -> tuple[Sequence[float | None], Interval]:
        """The values per seed and the interval, from runs that are all finished."""
        raise NotImplementedError

    def find(self, context: Context) -> Finding:
        """The finding from the runs in the folder of the context."""
        values, interval, verdict = (), None, NOT_RUN
        if all(run.state(context.workdir) == FINISHED for run in self.runs(context)):
            values, interval = self.measured(context)
            verdict = interval.verdict(self.threshold, self.above)
        claimed = self.threshold, self.above
        return Finding(self.label, self.unit, tuple(values), interval, *claimed, verdict)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Paired(Evidence):
    """A measure of one configuration, or a comparison of two seed by seed; the mean over seeds.

    The mean of ratios is geometric.

    Attributes:
        measure: of a finished run.
        first: the configuration that is measured.
        second: the configuration it is compared with; None for the measure of `first` alone.
        ratio: whether to take first / second, instead of first - second.
    """

    measure: Measure
    first: Configuration
    second: Configuration | None = None
    ratio: bool = False

    def runs(self, context):
        return context.runs(self.first, self.second)

    def measured(self, context):
        values = np.array(context.values(self.first, self.measure), float)
        if self.second is not None:
            other = np.array(context.values(self.second, self.measure), float)
            with np.errstate(divide="ignore", invalid="ignore"):
                values = values / other if self.ratio else values - other
        return values.tolist(), _interval(values, logarithmic=self.ratio)


@dataclasses.dataclass(frozen=True, kw_only=True)
class DeviationRatio(Evidence):
    """The standard deviation over seeds of one configuration, divided by that of another."""

    measure: Measure
    first: Configuration
    second: Configuration

    def runs(self, context):
        return context.runs(self.first, self.second)

    def measured(self, context):
        both = [context.values(each, self.measure) for each in (self.first, self.second)]
        return (), intervals.deviation_ratio_interval(*both)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Spread(Evidence):
    """The deviation between configurations, divided by that over seeds of one configuration.

    All configurations have the same seeds, see `intervals.group_deviation_interval`.
    """

    measure: Measure
    configurations: tuple[Configuration, ...]

    def runs(self, context):
        return context.runs(*self.configurations)

    def measured(self, context):
        groups = [context.values(each, self.measure) for each in self.configurations]
        return (), intervals.group_deviation_interval(np.array(groups, float))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Studied(Evidence):
    """A comparison of two rows of a study.

    Attributes:
        condition: of the study.
        method: the adaptive method.
        first, second: names of the rows.
        ratio: whether to take the ratio of their costs, instead of the difference of their
            accuracies seed by seed.
    """

    condition: Condition
    method: str
    first: str
    second: str
    ratio: bool = False

    def runs(self, context):
        settings = settings_for(self.method, context.common, self.condition.decided)
        plan = StudyPlan.make(self.condition.recipe, settings, self.method, context.seeds)
        return [PlannedStudy(plan)]

    def measured(self, context):
        (study,) = self.runs(context)
        rows = study.rows(context.workdir)
        first, second = rows[self.first], rows[self.second]
        if self.ratio:  # costs are counted, so that the interval has no width
            exact = first["cost"] / second["cost"]
            return (), Interval(exact, exact, exact)
        pairs = zip(first["results"], second["results"], strict=True)
        key = "last_epoch_accuracy"
        values = [100 * (a[key] - b[key]) for a, b in pairs]
        return values, _interval(np.array(values))


def _interval(values: np.ndarray, logarithmic: bool = False) -> Interval:
    """The interval of the mean of values [n], or of their geometric mean if `logarithmic`.

    It is infinite if a value is not finite, or has no logarithm but needs one.
    """
    if not np.isfinite(values).all() or (logarithmic and (values <= 0).any()):
        return Interval(math.nan, -math.inf, math.inf)
    if not logarithmic:
        return intervals.mean_interval(values)
    logs = intervals.mean_interval(np.log(values))
    return Interval(*(float(np.exp(limit)) for limit in dataclasses.astuple(logs)))
