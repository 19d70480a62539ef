"""The recipes by name, and the experiment that a recipe with overrides makes."""

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tf_mwn.checks import check_name
from tf_mwn.data.bias.settings import BiasSettings
from tf_mwn.methods import registry
from tf_mwn.options import options_of
from tf_mwn.recipes.papers import PAPER_RECIPES
from tf_mwn.recipes.recipe import Recipe
from tf_mwn.recipes.short import SHORT_RECIPES
from tf_mwn.settings.config import LEARNING_RATES, Config, digest


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A recipe with overrides: what one command runs.

    Attributes:
        folder: the recipe's name, with a short hash of the overridden settings behind it.
    """

    recipe: Recipe
    config: Config
    methods: tuple[str, ...]
    seeds: tuple[int, ...]
    folder: str

    def path(self, workdir: str | Path, method: str, seed: int) -> Path:
        """The folder of one run."""
        return Path(workdir) / self.folder / method / f"seed{seed}"

    def flags(self, method: str, seed: int) -> str:
        """The flags of one run, a line each: a `--flagfile` that repeats it."""
        given = {"recipe": self.recipe.name, "method": method, "seed": seed}
        given.update(self.config.differences(self.recipe.config))
        lines = []
        for name, value in given.items():
            text = ",".join(map(str, value)) if isinstance(value, list) else value
            lines.append(f"--{name}={text}\n")
        return "".join(lines)


RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in (*SHORT_RECIPES, *PAPER_RECIPES)}


def find(name: str) -> Recipe:
    """The recipe called `name`.

    Raises:
        ValueError: naming the valid names and the nearest.
    """
    return RECIPES[check_name("recipe", name, RECIPES)]


def resolve(
    recipe: str,
    overrides: Mapping[str, Any],
    methods: Iterable[str] | None = None,
    seeds: Iterable[int] = (0,),
) -> Experiment:
    """The experiment that a command line describes.

    A data set of the user's own (a path) drops the artificial bias and the augmentation of the
    recipe, unless they are overridden too: they describe the recipe's data.

    Raises:
        ValueError, TypeError: for unknown names, values out of range, repeated seeds or methods,
            and overrides that none of the methods reads.
    """
    row = find(recipe)
    if row.files and "dataset" not in overrides:
        raise ValueError(
            f"dataset: expected --dataset=FOLDER with {row.files} for recipe {recipe}, "
            "received none"
        )
    chosen = tuple(row.methods if methods is None else methods)
    seeds = tuple(seeds)
    _check_unique("method", chosen)
    _check_unique("seed", seeds)
    if any(seed < 0 for seed in seeds):
        raise ValueError(f"seed: expected integers of at least 0, received {min(seeds)}")
    _check_read(overrides, [registry.find(name) for name in chosen])
    settings = {**row.settings, **overrides}
    if _is_path(overrides.get("dataset", "")):
        for name in _BIAS - set(overrides):
            settings.pop(name, None)
    if settings.get("optimizer", row.config.optimizer) != row.config.optimizer:
        settings.update(_for_optimizer(settings["optimizer"], overrides))
    config = Config(**settings)
    changed = config.differences(row.config)
    folder = f"{row.name}-{digest(changed)}" if changed else row.name
    return Experiment(row, config, chosen, seeds, folder)


# What describes the recipe's data set rather than the size of an experiment.
_BIAS = set(options_of(BiasSettings)) | {"augment"}
_BIAS -= {"meta_size", "validation_size", "validation_labels", "train_size"}


def _for_optimizer(optimizer: str, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """The learning rate of an optimizer that is not the recipe's, unless one is given.

    Raises:
        ValueError: an override that only SGD reads.
    """
    for name in ("momentum", "nesterov"):
        if name in overrides and optimizer != "sgd":
            raise ValueError(
                f"{name}: expected --optimizer=sgd with it, which alone reads it, "
                f"received {optimizer}"
            )
    rate = overrides.get("learning_rate", LEARNING_RATES.get(optimizer))
    return {} if rate is None else {"learning_rate": rate}


def _is_path(dataset: str) -> bool:
    return "." in dataset or "/" in dataset


def _check_unique(kind: str, values: tuple) -> None:
    if not values:
        raise ValueError(f"{kind}: expected at least one, received none")
    for value in values:
        if values.count(value) > 1:
            raise ValueError(f"{kind}: expected each once, received {value} twice")


def _check_read(overrides: Mapping[str, Any], rows: list[registry.Method]) -> None:
    """Refuses an override that would be ignored by every method that runs."""
    read = {name for row in rows for name in row.reads_under(overrides)}

    def shown(row: registry.Method) -> str:
        return f"{row.name} with --{row.file.name}" if row.uses_file(overrides) else row.name

    for name in overrides:
        if name in registry.OPTIONS and name not in read:
            raise ValueError(
                f"{name}: expected an option that a method of the run reads, received one of no "
                f"effect on {', '.join(map(shown, rows))}; it is an option of "
                + ", ".join(r.name for r in registry.METHODS.values() if name in r.reads)
            )
