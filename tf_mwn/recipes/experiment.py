"""The recipes by name, and the experiment that a recipe and overrides define."""

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tf_mwn.checks import check_name
from tf_mwn.data.bias.label_file import find_list
from tf_mwn.data.bias.settings import BiasSettings
from tf_mwn.data.sources.naming import is_own, located, short_name
from tf_mwn.methods import registry
from tf_mwn.options import options_of
from tf_mwn.recipes.human_noise import HUMAN_NOISE_RECIPES
from tf_mwn.recipes.papers import PAPER_RECIPES
from tf_mwn.recipes.recipe import Recipe
from tf_mwn.recipes.short import SHORT_RECIPES
from tf_mwn.settings.config import LEARNING_RATES, Config, digest


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A recipe with overrides, as one command runs it.

    Attributes:
        recipe: the recipe.
        config: all settings.
        methods: names of the methods.
        seeds: the random seeds.
        folder: the name of the recipe, or of the user's own data, followed by a short hash of the
            overridden settings.
        is_own: whether the data are the user's own instead of the recipe's.
    """

    recipe: Recipe
    config: Config
    methods: tuple[str, ...]
    seeds: tuple[int, ...]
    folder: str
    is_own: bool = False

    def path(self, workdir: str | Path, method: str, seed: int) -> Path:
        """The folder of one run."""
        return Path(workdir) / self.folder / method / f"seed{seed}"

    def flags(self, method: str, seed: int) -> str:
        """The flags of one run, a line each, as the content of a `--flagfile` that repeats it."""
        given = {"recipe": self.recipe.name, "method": method, "seed": seed}
        given.update(self.config.differences(self.recipe.config))
        lines = []
        for name, value in given.items():
            text = ",".join(map(str, value)) if isinstance(value, list) else value
            lines.append(f"--{name}={text}\n")
        return "".join(lines)


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe for recipe in (*SHORT_RECIPES, *PAPER_RECIPES, *HUMAN_NOISE_RECIPES)
}


def find(name: str) -> Recipe:
    """The recipe called `name`.

    Raises:
        ValueError: there is none; the message lists the valid names and the nearest.
    """
    return RECIPES[check_name("recipe", name, RECIPES)]


def resolve(
    recipe: str,
    overrides: Mapping[str, Any],
    methods: Iterable[str] | None = None,
    seeds: Iterable[int] = (0,),
) -> Experiment:
    """The experiment that a command line describes.

    The bias and the augmentation of a recipe belong to its data. So they are dropped for a data set
    of the user's own, unless they are overridden too. Whatever is on the disk is the user's own.

    Raises:
        ValueError, TypeError: a name is unknown, a value is out of range, a seed or method is
            repeated, or no method reads an override.
    """
    base = find(recipe)
    if base.files and "dataset" not in overrides:
        raise ValueError(
            f"dataset: expected --dataset=FOLDER with {base.files} for recipe {recipe}, "
            "received none"
        )
    if base.label_list:
        given = overrides.get("label_file")
        overrides = {**overrides, "label_file": find_list(base.label_list, given)}
    chosen = tuple(base.methods if methods is None else methods)
    seeds = tuple(seeds)
    _check_unique("method", chosen)
    _check_unique("seed", seeds)
    if any(seed < 0 for seed in seeds):
        raise ValueError(f"seed: expected integers of at least 0, received {min(seeds)}")
    _check_read(overrides, [registry.find(name) for name in chosen])
    named = {name: located(overrides[name]) for name in _SOURCES if name in overrides}
    overrides = {**overrides, **named}
    settings = {**base.settings, **overrides}
    own = "dataset" in named and is_own(named["dataset"])
    if own:
        for name in _BIAS - set(overrides):
            settings.pop(name, None)
    if settings.get("optimizer", base.config.optimizer) != base.config.optimizer:
        settings |= _for_optimizer(settings["optimizer"], overrides)
    config = Config(**settings)
    _check_effect(overrides, vars(config), [registry.find(name) for name in chosen])
    _check_meta_size(config, [registry.find(name) for name in chosen])
    changed = config.differences(base.config)
    name = short_name(config.dataset) if own else base.name
    folder = f"{name}-{digest(changed)}" if changed else name
    return Experiment(base, config, chosen, seeds, folder, own)


# The settings that name a source.
_SOURCES = ("dataset", "open_set")
# The settings that describe the data of a recipe, and not the size of the experiment.
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


def _check_meta_size(config: Config, methods: list[registry.Method]) -> None:
    """Refuses to leave out the meta set of a method that needs one."""
    needing = [method.name for method in methods if method.needs_meta_set(vars(config))]
    if needing and config.meta_size == 0:
        raise ValueError(
            f"meta_size: expected a meta set for {', '.join(needing)}, received 0; the methods "
            "without one are those without 'needs a meta set' in --method=list"
        )


def _check_unique(kind: str, values: tuple) -> None:
    if not values:
        raise ValueError(f"{kind}: expected at least one, received none")
    for value in values:
        if values.count(value) > 1:
            raise ValueError(f"{kind}: expected each once, received {value} twice")


def _check_effect(
    overrides: Mapping[str, Any], settings: Mapping[str, Any], methods: list[registry.Method]
) -> None:
    """Refuses an override of a shared option that has no effect on any method of the run."""
    for name in overrides:
        needed = [method.ignores(settings, name) for method in methods]
        if all(needed):
            raise ValueError(
                f"{name}: expected --{needed[0]} above 0 with it, received none, so that it has no "
                f"effect on {', '.join(method.name for method in methods)}"
            )


def _check_read(overrides: Mapping[str, Any], methods: list[registry.Method]) -> None:
    """Refuses an override that every method of the run would ignore."""
    read = {name for method in methods for name in method.reads_under(overrides)}

    def shown(method: registry.Method) -> str:
        uses_file = method.uses_file(overrides)
        return f"{method.name} with --{method.file.name}" if uses_file else method.name

    for name in overrides:
        if name in registry.OPTIONS and name not in read:
            raise ValueError(
                f"{name}: expected an option that a method of the run reads, received one of no "
                f"effect on {', '.join(map(shown, methods))}; it is an option of "
                + ", ".join(m.name for m in registry.METHODS.values() if name in m.reads)
            )
