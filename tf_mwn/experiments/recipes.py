"""Named settings, each with its source, the number it should reach and what it costs."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from tf_mwn.data.bias_settings import BiasSettings
from tf_mwn.experiments.config import Config, digest
from tf_mwn.methods import registry
from tf_mwn.names import unknown_name


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A named experiment: settings for one data set, and the methods it compares.

    Attributes:
        name: what `--recipe` calls it, and its folder's name.
        title: one line.
        source: where the settings come from.
        expected: last-epoch test accuracy to expect, with its seeds.
        cost: time on two CPU cores.
        settings: what differs from `Config`'s defaults.
        methods: run by default, in this order.
    """

    name: str
    title: str
    source: str
    expected: str
    cost: str
    settings: Mapping[str, Any]
    methods: tuple[str, ...] = ("cross_entropy", "meta_weight_net")

    @property
    def config(self) -> Config:
        return Config(**self.settings)


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

    def flags(self, method: str, seed: int) -> str:
        """The flags of one run, a line each: a `--flagfile` that repeats it."""
        given = {"recipe": self.recipe.name, "method": method, "seed": seed}
        given.update(self.config.differences(self.recipe.config))
        lines = []
        for name, value in given.items():
            text = ",".join(map(str, value)) if isinstance(value, list) else value
            lines.append(f"--{name}={text}\n")
        return "".join(lines)


RECIPES: dict[str, Recipe] = {}


def find(name: str) -> Recipe:
    """The recipe called `name`.

    Raises:
        ValueError: naming the valid names and the nearest.
    """
    if name not in RECIPES:
        raise ValueError(unknown_name("recipe", name, RECIPES))
    return RECIPES[name]


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
    config = Config(**settings)
    changed = config.differences(row.config)
    folder = f"{row.name}-{digest(changed)}" if changed else row.name
    return Experiment(row, config, chosen, seeds, folder)


# What describes the recipe's data set rather than the size of an experiment.
_BIAS = {field.name for field in dataclasses.fields(BiasSettings)} | {"augment"}
_BIAS -= {"meta_size", "validation_size", "validation_labels", "train_size"}


def _is_path(dataset: str) -> bool:
    return "." in dataset or "/" in dataset


def _check_unique(kind: str, values: tuple) -> None:
    if not values:
        raise ValueError(f"{kind}: expected at least one, received none")
    for value in values:
        if values.count(value) > 1:
            raise ValueError(f"{kind}: expected each once, received {value} twice")


def _check_read(overrides: Mapping[str, Any], rows: list[registry.MethodRow]) -> None:
    """Refuses an override that would be ignored by every method that runs."""
    readers = {name for row in registry.METHODS.values() for name in row.reads}
    read = {name for row in rows for name in row.reads}
    for name in overrides:
        if name in readers and name not in read:
            raise ValueError(
                f"{name}: no effect on {', '.join(row.name for row in rows)}; it is an option of "
                + ", ".join(r.name for r in registry.METHODS.values() if name in r.reads)
            )


def _add(*recipes: Recipe) -> None:
    RECIPES.update((recipe.name, recipe) for recipe in recipes)


# Settings of this project for short runs. The sum normaliser makes weights relative; weight decay
# on the weight net keeps its sigmoid from saturating, after which it could not learn any more.
_SHORT_RUN = {
    "network": "small_cnn",
    "weight_normalization": "sum",
    "meta_learning_rate": 3e-3,
    "meta_weight_decay": 1e-3,
}
_FASHION = {
    **_SHORT_RUN,
    "dataset": "fashion_mnist",
    "train_size": 11_000,
    "validation_size": 1_000,
    "meta_size": 1_000,
    "epochs": 10,
    # Without momentum the virtual step is the actual step's length, and 10 epochs are enough.
    "momentum": 0.0,
}
_LONG_TAIL = {
    "imbalance_factor": 100.0,
    "train_size": None,
    "validation_size": 0,
    "meta_size": 100,
}

_add(
    Recipe(
        name="quickstart",
        title="handwritten digits (8x8), 40 % flip2 noise, 100 meta images",
        source="this project: the smallest real data on which memorisation shows",
        expected="to be measured",
        cost="under a minute",
        settings={
            **_SHORT_RUN,
            "dataset": "digits",
            "noise": "flip2",
            "noise_rate": 0.4,
            "weight_decay": 1e-2,
            "epochs": 60,
        },
    ),
    Recipe(
        name="fashion_flip2_40",
        title="Fashion-MNIST (10 000 images), 40 % flip2 noise, 1 000 meta images",
        source="this project: the noise of Meta-Weight-Net's Table 3 on a small set",
        expected="to be measured",
        cost="about 4 minutes",
        settings={**_FASHION, "noise": "flip2", "noise_rate": 0.4},
    ),
    Recipe(
        name="fashion_uniform_60",
        title="Fashion-MNIST (10 000 images), 60 % uniform noise, 1 000 meta images",
        source="this project: the noise of Meta-Weight-Net's Table 2 on a small set",
        expected="to be measured",
        cost="about 4 minutes",
        settings={**_FASHION, "noise": "uniform", "noise_rate": 0.6},
    ),
    Recipe(
        name="fashion_longtail_100",
        title="Fashion-MNIST, long tail of factor 100, 100 meta images",
        source="this project: the imbalance of Meta-Weight-Net's Table 1 on a small set",
        expected="to be measured",
        cost="about 4 minutes",
        settings={**_FASHION, **_LONG_TAIL},
    ),
    Recipe(
        name="cifar10_small_flip2_40",
        title="CIFAR-10 (10 000 images), 40 % flip2 noise, 1 000 meta images",
        source="this project: the noise of Meta-Weight-Net's Table 3 on a small set",
        expected="to be measured",
        cost="about 4 minutes",
        settings={**_FASHION, "dataset": "cifar10", "noise": "flip2", "noise_rate": 0.4},
    ),
    Recipe(
        name="cifar10_small_longtail_100",
        title="CIFAR-10, long tail of factor 100 (12 400 images), 100 meta images",
        source="this project: the imbalance of Meta-Weight-Net's Table 1 on a small network",
        expected="to be measured",
        cost="about 4 minutes",
        settings={**_FASHION, **_LONG_TAIL, "dataset": "cifar10", "augment": "crop_flip"},
    ),
)
