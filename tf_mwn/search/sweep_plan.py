"""The plan of a sweep, checked before anything is loaded. Does not import TensorFlow."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from tf_mwn.data.sources.location import DEFAULT_LOCATION, DataLocation
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
class SweepPlan:
    """A recipe with overrides, one method, a search space and how to search it.

    Attributes:
        experiment: what all trials share; every trial runs each of its seeds.
        overrides: the settings given by the user.
        space: the settings that are searched.
        search: one of `SEARCHES`.
        objective: one of `OBJECTIVES`, the images whose accuracy decides.
        epoch: one of `EPOCHS`, the epoch whose accuracy decides.
        max_trials: largest number of trials. None means all of a grid; Hyperband decides itself.
        seed: of the random draws of the search.
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
        recipe: str | None,
        overrides: Mapping[str, Any],
        methods: Sequence[str] | None,
        trial_seeds: Sequence[int],
        space: Sequence[str] | None = None,
        search: str = "grid",
        objective: str = "meta",
        epoch: str = "last",
        max_trials: int | None = None,
        seed: int = 0,
        location: DataLocation = DEFAULT_LOCATION,
    ) -> "SweepPlan":
        """The plan that a command line describes.

        Raises:
            ValueError, TypeError: one sentence that says what to change.
        """
        if methods is None or len(methods) != 1:
            raise ValueError(
                f"method: expected one, received {', '.join(methods) if methods else 'none'}"
            )
        experiment = resolve(recipe, overrides, methods, trial_seeds, location)
        if space is None:
            method = registry.find(methods[0])
            domains = default_space(method, vars(experiment.config), overrides)
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
    def method_spec(self) -> Method:
        return registry.find(self.method)

    @property
    def folder(self) -> str:
        """The folder below the workdir. Its name depends on everything that decides the trials."""
        return f"{self.experiment.folder}/tune-{self.method}-{digest(self.search_settings())}"

    def identity(self, fingerprint: str) -> dict[str, Any]:
        """All that decides the trials on data of this fingerprint, except their number."""
        return {
            "recipe": self.experiment.recipe.name,
            "method": self.method,
            "settings": completed(self.experiment.config.to_json()),
            **self.search_settings(),
            "data": fingerprint,
        }

    def trial(self, values: Mapping[str, Any], epochs: int | None = None) -> Experiment:
        """The experiment of one trial. By default it trains for the epochs of the recipe.

        Raises:
            ValueError: the values exclude each other.
        """
        overrides = {**self.overrides, **values}
        if epochs is not None:
            overrides["epochs"] = epochs
        base = self.experiment
        changed = resolve(base.recipe.name, overrides, base.methods, base.seeds, facts=base.facts)
        return dataclasses.replace(changed, folder=trial_folder(values, epochs))

    def search_settings(self) -> dict[str, Any]:
        """The settings of the search, except the number of trials."""
        return {
            "space": [domain.to_json() for domain in self.space],
            "search": self.search,
            "objective": self.objective,
            "epoch": self.epoch,
            "trial_seeds": list(self.experiment.seeds),
            "search_seed": self.seed,
        }

    def _check_space(self) -> None:
        """Checks each value by itself. Values that exclude each other fail in their trial."""
        _check_objective(self.objective, self.method_spec, self.experiment)
        for domain in self.space:
            if domain.name in self.overrides:
                raise ValueError(
                    f"{domain.name}: expected either a flag or a part of --space, received both"
                )
            for value in domain.ends:
                if value != LOG_CLASSES:
                    trial = self.trial({domain.name: value})
                    _check_objective(self.objective, self.method_spec, trial)

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
    """The folder of a trial. Equal values give the same name, so that none are trained twice."""
    return f"trial-{digest(values if epochs is None else {**values, 'epochs': epochs})}"


def _check_objective(objective: str, method: Method, experiment: Experiment) -> None:
    if objective == "meta" and method.needs_meta_set(vars(experiment.config)):
        raise ValueError(
            "objective: expected validation for a method that trains on the meta images, "
            f"received meta with {method.name}; pass --objective=validation --validation_size=N"
        )
    if objective == "meta" and not experiment.config.meta_size:
        raise ValueError("objective=meta: expected --meta_size above 0, received 0")
    if objective == "validation" and not experiment.config.validation_size:
        raise ValueError("objective=validation: expected --validation_size above 0, received 0")
