"""The recipes by name, and the experiment that a recipe and overrides define."""

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tf_mwn.checks import check_name
from tf_mwn.data.bias.label_file import find_list
from tf_mwn.data.bias.settings import BiasSettings
from tf_mwn.data.sources.facts import DataFacts, clean_counts, look
from tf_mwn.data.sources.location import DEFAULT_LOCATION, DataLocation
from tf_mwn.data.sources.naming import is_own, located
from tf_mwn.methods import registry
from tf_mwn.options import options_of
from tf_mwn.recipes import own_data
from tf_mwn.recipes.human_noise import HUMAN_NOISE_RECIPES
from tf_mwn.recipes.papers import PAPER_RECIPES
from tf_mwn.recipes.recipe import Recipe
from tf_mwn.recipes.short import SHORT_RECIPES
from tf_mwn.settings.config import LEARNING_RATES, Config, digest
from tf_mwn.training.options import LOGIT_ADJUSTMENT


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
        facts: of the data, if they are the user's own instead of the recipe's; None otherwise.
    """

    recipe: Recipe
    config: Config
    methods: tuple[str, ...]
    seeds: tuple[int, ...]
    folder: str
    facts: DataFacts | None = None

    def path(self, workdir: str | Path, method: str, seed: int) -> Path:
        """The folder of one run."""
        return Path(workdir) / self.folder / method / f"seed{seed}"

    def flags(self, method: str, seed: int) -> str:
        """The flags of one run, a line each, as the content of a `--flagfile` that repeats it."""
        given = {"recipe": self.recipe.name, "method": method, "seed": seed}
        given.update(self.config.differences(self.recipe.config))
        if self.recipe.name == own_data.NAME:
            # What follows the data is written out: another version may choose otherwise.
            given.update(self.config.differences(Config()))
        read = registry.find(method).reads_under(vars(self.config))
        for name in set(registry.OPTIONS) - set(read):
            given.pop(name, None)  # of another method of the command
        lines = []
        for name, value in given.items():
            text = ",".join(map(str, value)) if isinstance(value, list) else value
            lines.append(f"--{name}={text}\n")
        return "".join(lines)


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe for recipe in (*SHORT_RECIPES, *PAPER_RECIPES, *HUMAN_NOISE_RECIPES)
}


DEFAULT_RECIPE = "quickstart"


def find(name: str) -> Recipe:
    """The recipe called `name`.

    Raises:
        ValueError: there is none; the message lists the valid names and the nearest.
    """
    return RECIPES[check_name("recipe", name, RECIPES)]


def resolve(
    recipe: str | None,
    overrides: Mapping[str, Any],
    methods: Iterable[str] | None = None,
    seeds: Iterable[int] = (0,),
    location: DataLocation = DEFAULT_LOCATION,
    facts: DataFacts | None = None,
) -> Experiment:
    """The experiment that a command line describes.

    Without a recipe, the settings follow a data set of the user's own (see
    `own_data.recipe_for`); other data have those of `DEFAULT_RECIPE`. The bias and the augmentation
    of a recipe belong to its data: they are dropped for a data set of the user's own, unless they
    are overridden too. Whatever is on the disk is the user's own. Its meta set is all of its clean
    examples: none is cut from labels that are not known to be clean, unless `meta_size` asks for
    it.

    Args:
        recipe: its name, or None.
        overrides: settings by name.
        methods: names; None for those of the recipe.
        seeds: random seeds.
        location: where the data come from.
        facts: of a user's data, if they have been looked at.

    Raises:
        ValueError, TypeError: a name is unknown, a value is out of range, a seed or method is
            repeated, or no method reads an override.
    """
    named = {n: located(overrides[n]) for n in _SOURCES if overrides.get(n) is not None}
    overrides = {**overrides, **named}
    own = "dataset" in named and is_own(named["dataset"])
    base = None if own and recipe in (None, own_data.NAME) else _base(recipe, overrides)
    if own and facts is None and not (base and base.files):
        facts = _look({**(base.settings if base else {}), **overrides}, location)
    if base is None:
        naming = {n: overrides[n] for n in _NAMING if n in overrides}
        base = own_data.recipe_for(naming, facts, methods)
    if base.label_list and "dataset" not in overrides:
        given = overrides.get("label_file")
        overrides = {**overrides, "label_file": find_list(base.label_list, given)}
    chosen = tuple(base.methods if methods is None else methods)
    seeds = tuple(seeds)
    _check_unique("method", chosen)
    _check_unique("seed", seeds)
    for seed in seeds:
        if not 0 <= seed < 2**32:
            raise ValueError(f"seed: expected integers from 0 to 2^32 - 1, received {seed}")
    _check_read(overrides, [registry.find(name) for name in chosen])
    left_out = _BIAS if own and base.name != own_data.NAME else set()
    settings = {n: value for n, value in base.settings.items() if n not in left_out}
    settings |= _for_clean_set(overrides, facts, location)
    settings |= overrides
    if settings.get("optimizer", base.config.optimizer) != base.config.optimizer:
        rate = overrides.get("learning_rate", LEARNING_RATES.get(settings["optimizer"]))
        settings |= {} if rate is None else {"learning_rate": rate}
    config = Config(**settings)
    _check_sgd(overrides, config)
    _check_effect(overrides, vars(config), [registry.find(name) for name in chosen])
    _check_meta_size(config, [registry.find(name) for name in chosen], own)
    changed = config.differences(base.config)
    name = own_data.folder(config) if own else base.name
    folder = f"{name}-{digest(changed)}" if changed else name
    return Experiment(base, config, chosen, seeds, folder, facts if own else None)


# The settings that name a source.
_SOURCES = ("dataset", "open_set", "meta")
# The settings from which `own_data.recipe_for` makes a recipe, beside the facts.
_NAMING = ("dataset", "meta", "label_column", "meta_size", "epochs")
# The settings that describe the data of a recipe, and not the size of the experiment.
_BIAS = set(options_of(BiasSettings)) | {"augment"}
_BIAS -= {"meta_size", "validation_size", "validation_labels", "train_size"}


def _base(recipe: str | None, overrides: Mapping[str, Any]) -> Recipe:
    """The recipe of a name.

    Raises:
        ValueError: no such recipe, or one that needs data of the user's.
    """
    if recipe == own_data.NAME:
        raise ValueError("dataset: expected a path with recipe own_data, received none")
    base = find(recipe or DEFAULT_RECIPE)
    if base.files and "dataset" not in overrides:
        raise ValueError(
            f"dataset: expected --dataset=FOLDER with {base.files} for recipe {recipe}, "
            "received none"
        )
    return base


def _look(settings: Mapping[str, Any], location: DataLocation) -> DataFacts:
    names = ("dataset", "meta", "image_size", "label_column", "train_list")
    given = {name: settings[name] for name in names if settings.get(name) is not None}
    return look(location=location, **given)


def _for_clean_set(
    overrides: Mapping[str, Any], facts: DataFacts | None, location: DataLocation
) -> dict[str, Any]:
    """The settings of the meta set, which follow clean examples of the user's."""
    if facts is not None:
        return own_data.meta_set(facts)
    if overrides.get("meta") is None:
        return {}
    counts = clean_counts(overrides["meta"], location, overrides.get("label_column"))
    return own_data.for_clean_examples(counts)


def _check_sgd(overrides: Mapping[str, Any], config: Config) -> None:
    """Refuses an override that only SGD reads with another optimizer."""
    for name in ("momentum", "nesterov"):
        if name in overrides and config.optimizer != "sgd":
            raise ValueError(
                f"{name}: expected --optimizer=sgd with it, which alone reads it, "
                f"received {config.optimizer}"
            )


def _check_meta_size(config: Config, methods: list[registry.Method], own: bool) -> None:
    """Refuses to leave out the meta set of a method that needs one."""
    needing = [method.name for method in methods if method.needs_meta_set(vars(config))]
    if needing and config.meta_size == 0 and own:
        raise ValueError(
            f"meta: expected clean examples for {', '.join(needing)} (--meta=PATH, a folder meta/, "
            "rows of split meta, or arrays x_meta and y_meta), received none; if all labels of "
            f"{config.dataset} are clean, --meta_size=N cuts N of them off"
        )
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
    """Refuses an override that has no effect on any method of the run."""
    rates = settings["noise_rate"] or settings["noise_factor"]
    factors = max(settings["imbalance_factor"], settings["meta_imbalance_factor"])
    for name, needed, has_effect in (
        ("noise", "noise_rate", rates or settings["noise"] in ("none", "matrix")),
        *(
            (kind, f"{kind}_rate", settings[f"{kind}_rate"] or settings[kind] in ("none", None))
            for kind in ("meta_noise", "data_noise", "open_set")
        ),
        ("imbalance", "imbalance_factor", factors > 1),
        ("decay_factor", "decay_epochs", settings["decay_epochs"]),
    ):
        if name in overrides and needed not in overrides and not has_effect:
            raise ValueError(f"{name}: expected --{needed} with it, received none")
    if overrides.get(LOGIT_ADJUSTMENT.name) and not any(m.adjusts_logits for m in methods):
        raise ValueError(
            "logit_adjustment: expected a method that sees the training set, "
            f"received {', '.join(method.name for method in methods)}"
        )
    for name in overrides:
        reading = [m for m in methods if name not in registry.OPTIONS or name in m.reads]
        needed = [method.ignores(settings, name) for method in reading]
        if needed and all(needed):
            raise ValueError(
                f"{name}: expected only {needed[0]}, received it without effect on "
                + ", ".join(method.name for method in reading)
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
