"""The training steps that a benchmark measures. Does not import TensorFlow."""

import dataclasses
import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from tf_mwn.engine.options import FUSED_BATCH_NORM
from tf_mwn.methods import registry
from tf_mwn.settings.config import SETTINGS, Config

# What every step is compared with: training by `keras.Model.fit`, and this package's plain step.
KERAS = "keras"
BASELINE = "cross_entropy"
# The settings that a benchmark varies: those that every method reads, and those that some read.
COMMON = (
    "network",
    "batch_size",
    "precision",
    "jit_compile",
    "fused_batch_norm",
    "augment",
    "devices",
)
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
# Meta batch sizes that are relative to the batch size.
RELATIVE = ("same", "half")

DEFAULTS: Mapping[str, tuple[Any, ...]] = {
    **{name: (SETTINGS[name].default,) for name in AXES},
    "network": ("resnet32",),
    "virtual_variables": ("all", "head"),
    "meta_batch_size": ("same",),
    "augment": ("crop_flip",),  # that of the CIFAR experiments
}
# Named lists of steps to measure: (method, its own settings).
SUITES: Mapping[str, tuple[tuple[str, Mapping[str, Any]], ...]] = {
    "readme": (
        ("robust", {}),
        ("meta_weight_net", {"speed": "fast"}),
        ("meta_weight_net", {"meta_fraction": 0.25}),
        ("meta_weight_net", {}),
        ("meta_weight_net", {"recompute": True}),
        ("meta_weight_net", {"virtual_variables": "head"}),
    ),
}
# Settings of the synthetic data and their training. Every method can be told of this bias. At this
# learning rate random labels do no harm.
_SETTINGS = {
    "noise": "uniform",
    "noise_rate": 0.2,
    "learning_rate": 0.01,
    "epochs": 1,
}


@dataclasses.dataclass(frozen=True)
class Images:
    """The synthetic images: `size` x `size` x 3 bytes, in `num_classes` classes."""

    size: int = 32
    num_classes: int = 10


class StepError(RuntimeError):
    """A training step cannot be built or executed."""


@dataclasses.dataclass(frozen=True)
class Case:
    """A training step to measure: a method, or `KERAS`, with all settings."""

    method: str
    config: Config

    @classmethod
    def make(cls, method: str, settings: Mapping[str, Any]) -> "Case":
        """The case of `method`, with those of the settings in `AXES` that the method reads.

        Raises:
            ValueError, TypeError: a name or a value is not known.
        """
        reads = _options_of(method)
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
    def plain_keras(self) -> "Case":
        """`keras.Model.fit` under the same common settings."""
        common = {name: getattr(self.config, name) for name in COMMON}
        return Case.make(KERAS, {**common, "fused_batch_norm": FUSED_BATCH_NORM.default})

    @property
    def settings(self) -> dict[str, Any]:
        """The value of each setting in `AXES`; None if the method does not read it."""
        common = {name: getattr(self.config, name) for name in COMMON}
        if self.method == KERAS:
            return {**common, **dict.fromkeys(("fused_batch_norm", *OWN))}
        method = registry.find(self.method)
        values = {n: getattr(self.config, n) if n in method.reads else None for n in OWN}
        if values["meta_batch_size"] is None and method.takes_meta_set(vars(self.config)):
            wanted = vars(self.config)
            values["meta_batch_size"] = method.meta_batch_size(wanted, self.config.batch_size)
        return {**common, **values}

    @property
    def name(self) -> str:
        """The method and those of its own settings that differ from the default."""
        reads = _options_of(self.method)
        given = {name: getattr(self.config, name) for name in OWN if name in reads}
        changed = [f"{k}={v}" for k, v in given.items() if v != SETTINGS[k].default]
        return " ".join([self.method, *changed])

    @property
    def full_name(self) -> str:
        """The name and the common settings."""
        common = " ".join(f"{name}={getattr(self.config, name)}" for name in COMMON)
        return f"{self.name} ({common})"


def _options_of(method: str) -> Collection[str]:
    return () if method == KERAS else registry.find(method).reads


def parsed(name: str, texts: Sequence[str]) -> tuple[Any, ...]:
    """The values of a setting in `AXES`, from the texts of a command line.

    Raises:
        ValueError: there are no texts, or one is not of the setting's type.
    """
    if not texts:
        raise ValueError(f"{name}: expected at least one value, received none")
    if name == "meta_batch_size":
        return tuple(map(_meta_batch_size, texts))
    return tuple(map(SETTINGS[name].parse, texts))


def _meta_batch_size(text: str) -> int | str:
    try:
        return text if text in RELATIVE else int(text)
    except ValueError:
        raise ValueError(
            f"meta_batch_size: expected integers, {' or '.join(RELATIVE)}, received {text!r}"
        ) from None


def combinations(methods: Sequence[str], values: Mapping[str, Sequence[Any]]) -> list[Case]:
    """Every combination of methods and values once, each preceded by what it is compared with.

    A setting that a method does not read does not multiply the cases of the method.

    Args:
        methods: of the registry.
        values: of each setting in `AXES`.

    Raises:
        ValueError, TypeError: a name or a value is not known.
    """
    return _with_baselines(
        Case.make(method, {**common, **own})
        for common in _product(values, COMMON)
        for method in methods
        for own in _product(values, OWN)
    )


def suite(name: str, values: Mapping[str, Sequence[Any]]) -> list[Case]:
    """The cases of a suite, for every combination of the common settings in `values`."""
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
    return list(dict.fromkeys(c for case in cases for c in (case.plain_keras, case.baseline, case)))
