"""Search spaces: which settings a sweep varies, and over which values. Imports nothing heavy."""

import dataclasses
import math
from collections.abc import Collection, Sequence
from typing import Any

from tf_mwn.checks import unknown_name
from tf_mwn.data.bias.settings import BiasSettings
from tf_mwn.methods.registry import MethodRow
from tf_mwn.settings.config import Config, scalar_type

# Stands for ln C, the loss of a classifier that knows nothing of C classes.
LOG_CLASSES = "lnC"
_AGES = (LOG_CLASSES, 3.0, 5.0, 10.0)
# The values that the baselines' papers, and those that compare with them, search.
GRIDS: dict[str, tuple] = {
    "gce_q": (0.1, 0.3, 0.5, 0.7, 0.9),
    "sce_alpha": (0.1, 1.0, 6.0),
    "sce_beta": (0.1, 1.0),
    "bi_tempered_t1": (0.5, 0.7, 0.8, 0.9),
    "bi_tempered_t2": (1.1, 1.2, 1.5, 2.0),
    "poly_soft_lambda": _AGES,
    "poly_soft_d": (1.5, 2.0, 3.0),
    "focal_gamma": (0.5, 1.0, 2.0),
    "self_paced_fraction": (0.5, 0.7, 0.9),
    "class_balanced_beta": (0.9, 0.99, 0.999, 0.9999),
    "linear_lambda": _AGES,
    "polynomial_lambda": _AGES,
    "polynomial_d": (1.5, 2.0, 3.0),
    "focal_alpha": (0.5, 1.0, 2.0),
    "learning_rate": (0.01, 0.03, 0.1, 0.3),
}
# Settings of the data and of the process: all trials share them, or they could not be compared.
SHARED = {field.name for field in dataclasses.fields(BiasSettings)} | {
    *("dataset", "image_size", "stream", "train_list"),
    *("deterministic", "strategy", "devices"),
}
_SYNTAX = "NAME=A|B|C, NAME=LOW:HIGH, NAME=LOW:HIGH:log, or NAME alone for the usual values"


@dataclasses.dataclass(frozen=True)
class Domain:
    """Where one setting is searched: at given values, or between two.

    Attributes:
        name: of the setting.
        values: the values in order; empty for a range.
        low: lower end of a range, which belongs to it.
        high: upper end likewise.
        log: whether a range is searched on a logarithmic scale.
    """

    name: str
    values: tuple = ()
    low: float | None = None
    high: float | None = None
    log: bool = False

    @property
    def kind(self) -> type:
        """The setting's type."""
        return _kind(self.name)

    @property
    def ends(self) -> tuple:
        """Values that are in order if every value of the domain is."""
        return self.values or (self.low, self.high)

    def to_json(self) -> dict[str, Any]:
        """What the domain is, for a file."""
        if self.values:
            return {"name": self.name, "values": list(self.values)}
        return {"name": self.name, "low": self.low, "high": self.high, "log": self.log}

    def of_classes(self, num_classes: int) -> "Domain":
        """The domain with the number for `LOG_CLASSES`."""
        number = {LOG_CLASSES: math.log(num_classes)}
        return dataclasses.replace(self, values=tuple(number.get(v, v) for v in self.values))

    def nearest(self, value) -> Any:
        """`value`, after a search or a network may have changed its type or last digits."""
        if self.values and self.kind is str:
            return value
        if self.values:
            return min(self.values, key=lambda known: abs(known - value))
        return int(value) if self.kind is int else float(f"{value:.6g}")


def default_space(row: MethodRow, given: Collection[str]) -> tuple[Domain, ...]:
    """The method's own hyper-parameters, or the learning rate where it has none.

    Args:
        row: the method.
        given: settings that have been decided, which are not searched.
    """
    own = [name for name in row.options if name in GRIDS and name not in given]
    names = own or [name for name in ("learning_rate",) if name not in given]
    if not names:
        raise ValueError(f"space: nothing of {row.name} is left to search; pass --space={_SYNTAX}")
    return tuple(Domain(name, GRIDS[name]) for name in names)


def parse_space(texts: Sequence[str]) -> tuple[Domain, ...]:
    """The search space that texts like "gce_q=0.1|0.5", "learning_rate=0.01:1:log" describe.

    Raises:
        ValueError: a name nobody knows, a setting that all trials share, or values that are not of
            the setting's type.
    """
    space = tuple(_parse(text.strip()) for text in texts)
    names = [domain.name for domain in space]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"space: expected each setting once, received {name} twice")
    return space


def _parse(text: str) -> Domain:
    name, equals, values = text.partition("=")
    _check_name(name)
    if not equals:
        if name not in GRIDS:
            raise ValueError(f"space: {name} has no usual values; expected {_SYNTAX}")
        return Domain(name, GRIDS[name])
    if ":" in values and _kind(name) in (int, float):
        return _range(name, values)
    found = tuple(_value(name, value) for value in values.split("|"))
    if len(set(found)) < len(found):
        raise ValueError(f"space: {name} expected each value once, received {values}")
    return Domain(name, found)


def _check_name(name: str) -> None:
    fields = {field.name: field for field in dataclasses.fields(Config)}
    if name not in fields:
        raise ValueError(unknown_name("space", name, set(fields) - SHARED))
    if name in SHARED:
        raise ValueError(f"space: {name} is the same for all trials; pass it as --{name}")
    if scalar_type(fields[name].type)[2]:
        raise ValueError(f"space: expected a setting of one value, received the list {name}")


def _range(name: str, text: str) -> Domain:
    low, high, *scale = text.split(":")
    low, high = _number(name, low), _number(name, high)
    if scale not in ([], ["log"]):
        raise ValueError(f"space: {name} expected {_SYNTAX}, received {text}")
    if not low < high:
        raise ValueError(f"space: {name} expected LOW below HIGH, received {text}")
    if scale and low <= 0:
        raise ValueError(f"space: {name} expected LOW above 0 for log, received {text}")
    return Domain(name, low=low, high=high, log=bool(scale))


def _value(name: str, text: str):
    kind = _kind(name)
    if kind is str and text:
        return text
    if kind is bool and text in ("true", "false"):
        return text == "true"
    if kind is float and text == LOG_CLASSES:
        return text
    if kind in (int, float):
        return _number(name, text)
    raise ValueError(f"space: {name} expected {_SYNTAX}, received {text!r}")


def _number(name: str, text: str) -> int | float:
    kind = _kind(name)
    try:
        number = kind(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"space: {name} expected {kind.__name__} values, received {text!r}")
    return number


def _kind(name: str) -> type:
    return scalar_type(next(f.type for f in dataclasses.fields(Config) if f.name == name))[0]
