"""Which training steps a benchmark measures. Imports nothing heavy."""

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tf_mwn.methods import registry
from tf_mwn.settings.config import SETTINGS, Config
from tf_mwn.training.options import meta_batch_size

BASELINE = "cross_entropy"
# What a benchmark varies: settings that every method has, and settings that only some read.
COMMON = ("network", "batch_size", "precision", "jit_compile", "devices")
OWN = (
    "speed",
    "virtual_variables",
    "meta_interval",
    "meta_fraction",
    "meta_batch_size",
    "reuse_gradient",
    "recompute",
)
AXES = (*COMMON, *OWN)
# Meta batch sizes that follow the batch size.
RELATIVE = ("same", "half")

DEFAULTS: Mapping[str, tuple[Any, ...]] = {
    **{name: (SETTINGS[name].default,) for name in AXES},
    "network": ("resnet32",),
    "virtual_variables": ("all", "head"),
    "meta_batch_size": ("same",),
}
# Named lists of what to measure: (method, its own settings).
SUITES: Mapping[str, tuple[tuple[str, Mapping[str, Any]], ...]] = {
    "readme": (
        ("meta_weight_net", {}),
        ("meta_weight_net", {"recompute": True}),
        ("meta_weight_net", {"reuse_gradient": True}),
        ("meta_weight_net", {"speed": "fast"}),
        ("meta_weight_net", {"virtual_variables": "last_block"}),
        ("meta_weight_net", {"virtual_variables": "head"}),
        ("meta_weight_net", {"virtual_variables": "head", "meta_batch_size": "half"}),
        ("meta_weight_net", {"meta_interval": 5}),
        ("meta_weight_net", {"virtual_variables": "head", "meta_interval": 5}),
    ),
}
# Of the synthetic training set: a bias that every method can be told of, the augmentation of the
# CIFAR experiments, and a learning rate at which random labels do no harm.
_SETTINGS = {
    "noise": "uniform",
    "noise_rate": 0.2,
    "augment": "crop_flip",
    "learning_rate": 0.01,
    "epochs": 1,
}


@dataclasses.dataclass(frozen=True)
class Images:
    """What the synthetic data look like: `size` x `size` x 3 bytes, and C classes."""

    size: int = 32
    num_classes: int = 10


class StepError(RuntimeError):
    """A step that cannot be built or taken."""


@dataclasses.dataclass(frozen=True)
class Case:
    """One step to measure: a method and all settings."""

    method: str
    config: Config

    @classmethod
    def make(cls, method: str, settings: Mapping[str, Any]) -> "Case":
        """The case of `method` under those of the settings in `AXES` that it reads.

        Raises:
            ValueError, TypeError: a name or a value that is not known.
        """
        reads = registry.find(method).reads
        chosen = {k: v for k, v in settings.items() if k in COMMON or k in reads}
        size = chosen.get("meta_batch_size")
        if size == "same":
            del chosen["meta_batch_size"]  # the default
        elif size == "half":
            chosen["meta_batch_size"] = max(1, settings["batch_size"] // 2)
        strategy = "mirrored" if settings["devices"] > 1 else "none"
        return cls(method, Config(**_SETTINGS, **chosen, strategy=strategy))

    @property
    def baseline(self) -> "Case":
        """Cross-entropy under the same common settings."""
        return Case.make(BASELINE, {name: getattr(self.config, name) for name in COMMON})

    @property
    def settings(self) -> dict[str, Any]:
        """The value of each of `AXES`; None where the method does not read it."""
        row = registry.find(self.method)
        values = {n: getattr(self.config, n) if n in row.reads else None for n in OWN}
        if values["meta_batch_size"] is None and row.takes_meta_set(vars(self.config)):
            wanted = vars(self.config)
            values["meta_batch_size"] = meta_batch_size(wanted, self.config.batch_size)
        return {**{name: getattr(self.config, name) for name in COMMON}, **values}

    @property
    def name(self) -> str:
        """The method, and those of its own settings that are not the default."""
        given = {n: getattr(self.config, n) for n in OWN if n in registry.find(self.method).reads}
        changed = [f"{k}={v}" for k, v in given.items() if v != SETTINGS[k].default]
        return " ".join([self.method, *changed])

    @property
    def full_name(self) -> str:
        """The name, and the common settings."""
        common = " ".join(f"{name}={getattr(self.config, name)}" for name in COMMON)
        return f"{self.name} ({common})"


def parsed(name: str, texts: Sequence[str]) -> tuple[Any, ...]:
    """The values of a setting in `AXES` from a command line.

    Raises:
        ValueError: none at all, or one of another type.
    """
    if not texts:
        raise ValueError(f"{name}: expected at least one value, received none")
    return tuple(_parsed(name, SETTINGS[name].kind, text) for text in texts)


def _parsed(name: str, kind: type, text: str):
    if name == "meta_batch_size" and text in RELATIVE:
        return text
    if kind is bool and text in ("true", "false"):
        return text == "true"
    try:
        return {int: int, float: float, str: str}[kind](text)
    except (KeyError, ValueError):
        expected = {int: "integers", float: "numbers", bool: "true or false"}[kind]
        also = f", {' or '.join(RELATIVE)}" if name == "meta_batch_size" else ""
        raise ValueError(f"{name}: expected {expected}{also}, received {text!r}") from None


def combinations(methods: Sequence[str], values: Mapping[str, Sequence[Any]]) -> list[Case]:
    """Every combination of methods and values, each once, behind its baseline.

    Settings that a method does not read do not multiply its cases.

    Args:
        methods: of the registry.
        values: of each setting in `AXES`.

    Raises:
        ValueError, TypeError: a name or a value that is not known.
    """
    return _with_baselines(
        Case.make(method, {**common, **own})
        for common in _product(values, COMMON)
        for method in methods
        for own in _product(values, OWN)
    )


def suite(name: str, values: Mapping[str, Sequence[Any]]) -> list[Case]:
    """The cases of a named list for every combination of the common settings in `values`."""
    own = {option: SETTINGS[option].default for option in OWN} | {"meta_batch_size": "same"}
    return _with_baselines(
        Case.make(method, {**common, **own, **settings})
        for common in _product(values, COMMON)
        for method, settings in SUITES[name]
    )


def _product(values: Mapping[str, Sequence[Any]], names: Sequence[str]) -> Iterator[dict]:
    for chosen in itertools.product(*(values[name] for name in names)):
        yield dict(zip(names, chosen, strict=True))


def _with_baselines(cases: Iterator[Case]) -> list[Case]:
    return list(dict.fromkeys(c for case in cases for c in (case.baseline, case)))
