"""What a sweep is to do, checked before anything is loaded. Imports nothing heavy."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from tf_mwn.methods import registry
from tf_mwn.methods.registry import Method
from tf_mwn.options import LOG_CLASSES
from tf_mwn.recipes.experiment import Experiment, resolve
from tf_mwn.search.space import Domain, default_space, parse_space
from tf_mwn.settings.config import completed, digest

SEARCHES = ("grid", "random", "bayesian", "hyperband")
OBJECTIVES = ("meta", "validation")
EPOCHS = ("last", "best")
_DEFAULT_TRIALS = 10


@dataclasses.dataclass(frozen=True)
class Plan:
    """A sweep: a recipe with overrides, one method, a search space and how it is searched.

    Attributes:
        experiment: what every trial shares; its seeds are those of each trial.
        overrides: the settings given by the user.
        space: the settings that are searched.
        search: one of `SEARCHES`.
        objective: one of `OBJECTIVES`: whose accuracy decides.
        epoch: one of `EPOCHS`: at which epoch.
        max_trials: at most this many trials; None for all of a grid, and for Hyperband.
        seed: of what the search itself draws.
    """

    experiment: Experiment
    overrides: Mapping[str, Any]
    space: tuple[Domain, ...]
    search: str
    objective: str
    epoch: str
    max_trials: int | None
    seed: int

    @classmethod
    def make(
        cls,
        recipe: str,
        overrides: Mapping[str, Any],
        methods: Sequence[str] | None,
        trial_seeds: Sequence[int],
        space: Sequence[str] | None = None,
        search: str = "grid",
        objective: str = "meta",
        epoch: str = "last",
        max_trials: int | None = None,
        seed: int = 0,
    ) -> "Plan":
        """The plan that a command line describes.

        Raises:
            ValueError, TypeError: one sentence that says what to change.
        """
        if methods is None or len(methods) != 1:
            raise ValueError(
                f"method: expected one, received {', '.join(methods) if methods else 'none'}"
            )
        experiment = resolve(recipe, overrides, methods, trial_seeds)
        row = registry.find(methods[0])
        if space is None:
            domains = default_space(row, overrides)
        else:
            domains = parse_space(space)
        if max_trials is None and search in ("random", "bayesian"):
            max_trials = _DEFAULT_TRIALS
        plan = cls(experiment, dict(overrides), domains, search, objective, epoch, max_trials, seed)
        plan._check_space()
        plan._check_search()
        return plan

    @property
    def method(self) -> str:
        return self.experiment.methods[0]

    @property
    def row(self) -> Method:
        return registry.find(self.method)

    @property
    def folder(self) -> str:
        """Below the workdir; whatever decides the trials has a part in its name."""
        return f"{self.experiment.folder}/tune-{self.method}-{digest(self.search_settings())}"

    def identity(self, fingerprint: str) -> dict[str, Any]:
        """All that decides the trials, on data of this fingerprint, but for how many there are."""
        return {
            "recipe": self.experiment.recipe.name,
            "method": self.method,
            "settings": completed(self.experiment.config.to_json()),
            **self.search_settings(),
            "data": fingerprint,
        }

    def trial(self, values: Mapping[str, Any], epochs: int | None = None) -> Experiment:
        """The experiment of one trial; `epochs` are those of the recipe by default.

        Raises:
            ValueError: values that exclude each other.
        """
        overrides = {**self.overrides, **values}
        if epochs is not None:
            overrides["epochs"] = epochs
        base = self.experiment
        changed = resolve(base.recipe.name, overrides, base.methods, base.seeds)
        return dataclasses.replace(changed, folder=trial_folder(values, epochs))

    def search_settings(self) -> dict[str, Any]:
        """What is searched, and how, but for the number of trials."""
        return {
            "space": [domain.to_json() for domain in self.space],
            "search": self.search,
            "objective": self.objective,
            "epoch": self.epoch,
            "trial_seeds": list(self.experiment.seeds),
            "search_seed": self.seed,
        }

    def _check_space(self) -> None:
        """Tries each value by itself; values that exclude each other fail in their trial."""
        _check_objective(self.objective, self.row, self.experiment)
        for domain in self.space:
            if domain.name in self.overrides:
                raise ValueError(
                    f"{domain.name}: expected either a flag or a part of --space, received both"
                )
            for value in domain.ends:
                if value != LOG_CLASSES:
                    trial = self.trial({domain.name: value})
                    _check_objective(self.objective, self.row, trial)

    def _check_search(self) -> None:
        ranges = [domain.name for domain in self.space if not domain.values]
        if self.search == "grid" and ranges:
            raise ValueError(f"search=grid: expected values A|B|C, received a range of {ranges[0]}")
        if self.search == "grid" and self.seed:
            raise ValueError(
                f"seed: expected 0 with --search=grid, which draws nothing, received {self.seed}"
            )
        if self.search != "hyperband":
            return
        if self.max_trials is not None:
            raise ValueError(
                "max_trials: expected none with --search=hyperband, where --epochs decides the "
                f"trials, received {self.max_trials}"
            )
        if "epochs" in [domain.name for domain in self.space]:
            raise ValueError(
                "space: expected no epochs with --search=hyperband, which decides them, received "
                "epochs"
            )


def trial_folder(values: Mapping[str, Any], epochs: int | None = None) -> str:
    """The folder of a trial, which its values name: no values are trained twice."""
    return f"trial-{digest(values if epochs is None else {**values, 'epochs': epochs})}"


def _check_objective(objective: str, row: Method, experiment: Experiment) -> None:
    if objective == "meta" and row.takes_meta_set(vars(experiment.config)):
        raise ValueError(
            "objective: expected validation for a method that trains on the meta images, "
            f"received meta with {row.name}; pass --objective=validation --validation_size=N"
        )
    if objective == "validation" and not experiment.config.validation_size:
        raise ValueError("objective=validation: expected --validation_size above 0, received 0")
