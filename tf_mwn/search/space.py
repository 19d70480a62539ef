"""Search spaces: which settings a sweep varies, and over which values. Imports nothing heavy."""

import dataclasses
import math
from collections.abc import Collection, Sequence
from typing import Any

from tf_mwn.checks import unknown_name
from tf_mwn.data.bias.settings import BiasSettings
from tf_mwn.methods.registry import Method
from tf_mwn.options import LOG_CLASSES, options_of
from tf_mwn.settings.config import SETTINGS

# Settings of the data and of the process: all trials share them, or they could not be compared.
SHARED = set(options_of(BiasSettings)) | {
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
        return SETTINGS[self.name].kind

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


def default_space(row: Method, given: Collection[str]) -> tuple[Domain, ...]:
    """The method's own hyper-parameters, or the learning rate where it has none.

    Args:
        row: the method.
        given: settings that have been decided, which are not searched.
    """
    own = [o for o in row.options if o.grid and o.name not in given]
    searched = own or [o for o in (SETTINGS["learning_rate"],) if o.name not in given]
    if not searched:
        raise ValueError(
            f"space: expected --space={_SYNTAX}, received none, and nothing of {row.name} is left "
            "to search"
        )
    return tuple(Domain(option.name, option.grid) for option in searched)


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
        if not SETTINGS[name].grid:
            raise ValueError(
                f"space: expected {_SYNTAX}, received {name} alone, which has no usual values"
            )
        return Domain(name, SETTINGS[name].grid)
    if ":" in values and SETTINGS[name].kind in (int, float):
        return _range(name, values)
    found = tuple(_value(name, value) for value in values.split("|"))
    if len(set(found)) < len(found):
        raise ValueError(f"space: expected each value of {name} once, received {values}")
    return Domain(name, found)


def _check_name(name: str) -> None:
    if name not in SETTINGS:
        raise ValueError(unknown_name("space", name, set(SETTINGS) - SHARED))
    if name in SHARED:
        raise ValueError(
            f"space: expected settings that trials may differ in, received {name}; "
            f"pass it as --{name}"
        )
    if SETTINGS[name].many:
        raise ValueError(f"space: expected a setting of one value, received the list {name}")


def _range(name: str, text: str) -> Domain:
    low, high, *scale = text.split(":")
    low, high = _number(name, low), _number(name, high)
    if scale not in ([], ["log"]):
        raise ValueError(f"space: expected {_SYNTAX} for {name}, received {text}")
    if not low < high:
        raise ValueError(f"space: expected LOW below HIGH for {name}, received {text}")
    if scale and low <= 0:
        raise ValueError(f"space: expected LOW above 0 for {name} with log, received {text}")
    return Domain(name, low=low, high=high, log=bool(scale))


def _value(name: str, text: str):
    kind = SETTINGS[name].kind
    if kind is str and text:
        return text
    if kind is bool and text in ("true", "false"):
        return text == "true"
    if kind is float and text == LOG_CLASSES:
        return text
    if kind in (int, float):
        return _number(name, text)
    raise ValueError(f"space: expected {_SYNTAX} for {name}, received {text!r}")


def _number(name: str, text: str) -> int | float:
    kind = SETTINGS[name].kind
    try:
        number = kind(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"space: expected {kind.__name__} values for {name}, received {text!r}")
    return number
