"""The runs that a comparison needs, and the commands that train them.

The folders are those of `launch.main` and `launch.study`, so that runs a user has trained count.
Does not import TensorFlow.
"""

import dataclasses
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tf_mwn.files import Folder
from tf_mwn.methods import registry
from tf_mwn.recipes.experiment import Experiment, find, resolve
from tf_mwn.runs.run import FINISHED, MISSING, Run
from tf_mwn.search.study_plan import STUDY, StudyPlan

UNKNOWN = "unknown"  # the version of what an early version of this package wrote
_BIAS = ("noise", "noise_rate", "imbalance_factor")


@dataclasses.dataclass(frozen=True)
class PlannedRun:
    """One method and one seed of an experiment."""

    experiment: Experiment

    @classmethod
    def make(cls, recipe: str, settings: Mapping[str, Any], method: str, seed: int) -> "PlannedRun":
        """The run that `launch.main` trains with these settings as flags.

        Raises:
            ValueError, TypeError: as `resolve`.
        """
        return cls(resolve(recipe, settings, [method], [seed]))

    @property
    def method(self) -> str:
        return self.experiment.methods[0]

    @property
    def seed(self) -> int:
        return self.experiment.seeds[0]

    @property
    def name(self) -> str:
        """The folder below the workdir; equal for equal runs."""
        return str(self.experiment.path("", self.method, self.seed))

    def run(self, workdir: str | Path) -> Run:
        """The run in its folder below `workdir`."""
        return Run.of(self.experiment, self.method, self.seed, workdir)

    def state(self, workdir: str | Path) -> str:
        """See `Run.state`."""
        return self.run(workdir).state

    def results(self, workdir: str | Path) -> dict[str, Any] | None:
        """The results of the finished run; None if there is none of these settings."""
        return self.run(workdir).results if self.state(workdir) == FINISHED else None

    def version(self, workdir: str | Path) -> str | None:
        """The version of this package that finished it, or `UNKNOWN`; None if it has not."""
        results = self.results(workdir)
        return None if results is None else results.get("version", UNKNOWN)

    def command(self) -> list[str]:
        """The module and its flags, without those that name folders."""
        return ["launch.main", *self.experiment.flags(self.method, self.seed).splitlines()]

    def trainings(self) -> dict[str, int]:
        """The number of trainings, by method."""
        return {self.method: 1}


@dataclasses.dataclass(frozen=True)
class PlannedStudy:
    """A study of `launch.study`: many runs of several seeds in one process."""

    plan: StudyPlan

    @property
    def name(self) -> str:
        return self.plan.folder

    @property
    def experiment(self) -> Experiment:
        return self.plan.joint

    @property
    def method(self) -> str:
        return self.plan.method.name

    def state(self, workdir: str | Path) -> str:
        path = Path(workdir) / self.name
        return FINISHED if (path / STUDY).exists() else MISSING

    def rows(self, workdir: str | Path) -> dict[str, dict[str, Any]]:
        """The rows of a finished study, by name."""
        written = Folder(Path(workdir) / self.name).read_json(STUDY)
        rows = written if isinstance(written, list) else written["rows"]  # early versions: a list
        return {row["name"]: row for row in rows}

    def version(self, workdir: str | Path) -> str | None:
        """The version of this package that wrote it, or `UNKNOWN`; None if it has not finished."""
        if self.state(workdir) != FINISHED:
            return None
        written = Folder(Path(workdir) / self.name).read_json(STUDY)
        return UNKNOWN if isinstance(written, list) else written["version"]

    def command(self) -> list[str]:
        flags = self.experiment.flags(self.method, self.experiment.seeds[0]).splitlines()
        seeds = ",".join(map(str, self.experiment.seeds))
        flags = [flag for flag in flags if not flag.startswith("--seed=")]
        return ["launch.study", *flags, f"--seed={seeds}"]

    def trainings(self) -> dict[str, int]:
        """Each seed trains every value of the grid, the final value, the replay and jointly."""
        grid = int(np.prod([len(domain.values) for domain in self.plan.search.space]))
        seeds = len(self.experiment.seeds)
        return {self.plan.fixed.name: seeds * (grid + 2), self.method: seeds}


Planned = PlannedRun | PlannedStudy


def commands(runs: Iterable[Planned]) -> list[str]:
    """The commands that train `runs`, as a user types them; one command for all seeds of a run."""
    seeds: dict[tuple[str, ...], list[int]] = {}
    for run in runs:
        flags = tuple(flag for flag in run.command() if not flag.startswith("--seed="))
        seeds.setdefault(flags, []).extend(run.experiment.seeds)
    return [
        shlex.join(["python", "-m", *flags, f"--seed={','.join(map(str, numbers))}"])
        for flags, numbers in seeds.items()
    ]


def versions(runs: Iterable[Planned], workdir: str | Path) -> list[str]:
    """The versions of this package that trained the finished runs and studies, with `UNKNOWN`."""
    found = {run.version(workdir) for run in runs}
    return sorted(version for version in found if version is not None)


def made_by(found: Iterable[str]) -> list[str]:
    """The paragraph of a page that names the `versions`; none if no run has finished."""
    names = set(found)
    known = " and ".join(sorted(names - {UNKNOWN}))
    if UNKNOWN not in names:
        return [f"Made by tf_mwn {known}."] if known else []
    some = f"tf_mwn {known}, in part by " if known else ""
    return [f"Made by {some}an unknown version of tf_mwn."]


def settings_for(method: str, common: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The `common` settings that the method reads, overridden by its `own`."""
    reads = registry.find(method).reads
    kept = {n: v for n, v in common.items() if n not in registry.OPTIONS or n in reads}
    return {**kept, **own}


def decided(recipe: str, own: Mapping[str, Any]) -> dict[str, Any]:
    """The `own` settings, and the bias of the recipe: its title and its numbers depend on both."""
    bias = {n: v for n, v in find(recipe).settings.items() if n in _BIAS}
    return {**bias, **own}


def each_once(runs: Iterable[Planned]) -> list[Planned]:
    """The runs in order, without repetition."""
    return list({run.name: run for run in runs}.values())


def check_used(
    name: str, value: Any, runs: Sequence[Planned], without: Callable[[], Sequence[Planned]]
) -> None:
    """Refuses a setting that has no effect on any of the runs.

    Args:
        name: of the setting.
        value: as given.
        runs: those of the plan with it.
        without: plans the runs without it.

    Raises:
        ValueError: without the setting they are the same, and it is not what they have anyway.
    """
    wanted = list(value) if isinstance(value, tuple) else value
    if all(run.experiment.config.to_json()[name] == wanted for run in runs):
        return
    try:
        others = {run.name for run in without()}
    except (ValueError, TypeError):  # nothing can be run without it
        return
    if others == {run.name for run in runs}:
        raise ValueError(
            f"{name}: expected a setting that a run reads, received one of no effect on any of "
            f"the {len(runs)} runs"
        )
