"""Search spaces: the settings that a sweep varies, and their values. Does not load TensorFlow."""

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tf_mwn.checks import unknown_name
from tf_mwn.data.bias.settings import BiasSettings
from tf_mwn.methods.registry import Method
from tf_mwn.options import LOG_CLASSES, options_of
from tf_mwn.settings.config import SETTINGS

# Settings of the data and of the process. Trials that differ in them could not be compared.
SHARED = set(options_of(BiasSettings)) | {
    *("dataset", "meta", "label_column", "image_size", "stream", "train_list"),
    *("deterministic", "strategy", "devices"),
}
_SYNTAX = "NAME=A|B|C, NAME=LOW:HIGH, NAME=LOW:HIGH:log, or NAME alone for the usual values"


@dataclasses.dataclass(frozen=True)
class Domain:
    """The domain of one searched setting: a list of values, or a range.

    Attributes:
        name: of the setting.
        values: the values in order; empty for a range.
        low: lower end of a range; it belongs to the range.
        high: upper end of a range; it belongs to the range.
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
        """Values to check: if they are valid, so is every value of the domain."""
        return self.values or (self.low, self.high)

    def to_json(self) -> dict[str, Any]:
        """The domain as it is written to a file."""
        if self.values:
            return {"name": self.name, "values": list(self.values)}
        return {"name": self.name, "low": self.low, "high": self.high, "log": self.log}

    def of_classes(self, num_classes: int) -> "Domain":
        """The domain with `LOG_CLASSES` replaced by the number ln C."""
        number = {LOG_CLASSES: math.log(num_classes)}
        return dataclasses.replace(self, values=tuple(number.get(v, v) for v in self.values))

    def nearest(self, value) -> Any:
        """The value of the domain that `value` stands for.

        A search or a network connection may have changed its type or its last digits.
        """
        if self.values and self.kind is str:
            return value
        if self.values:
            return min(self.values, key=lambda known: abs(known - value))
        return int(value) if self.kind is int else float(f"{value:.6g}")


def default_space(
    method: Method, settings: Mapping[str, Any], given: Collection[str]
) -> tuple[Domain, ...]:
    """The hyper-parameters of the method that have an effect, or the learning rate if none has.

    Args:
        method: to search for.
        settings: of all trials; they decide which options of the method have an effect.
        given: settings that the user has decided; they are not searched.

    Raises:
        ValueError: nothing is left to search.
    """
    reads = method.reads_under(settings)
    own = [o for o in method.options if o.grid and o.name in reads and o.name not in given]
    own = [o for o in own if method.ignores(settings, o.name) is None]
    searched = own or [o for o in (SETTINGS["learning_rate"],) if o.name not in given]
    if not searched:
        raise ValueError(
            f"space: expected --space={_SYNTAX}, received none, and nothing of {method.name} is "
            "left to search"
        )
    return tuple(Domain(option.name, option.grid) for option in searched)


def parse_space(texts: Sequence[str]) -> tuple[Domain, ...]:
    """The search space of texts such as "gce_q=0.1|0.5" or "learning_rate=0.01:1:log".

    Raises:
        ValueError: a name is not known or given twice, a setting is one that all trials share, or
            a value is not of the setting's type.
    """
    space = tuple(_parse(text.strip()) for text in texts)
    names = [domain.name for domain in space]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"space: expected each setting once, received {name} twice")
    return space


def _parse(text: str) -> Domain:
    name, equals, values = text.partition("=")
    if not name.isidentifier():  # a value, after a comma where values are parted by |
        raise ValueError(f"space: expected {_SYNTAX}, received {text!r}")
    _check_name(name)
    if not equals:
        if not SETTINGS[name].grid:
            raise ValueError(
                f"space: expected {_SYNTAX}, received {name} alone, which has no usual values"
            )
        return Domain(name, SETTINGS[name].grid)
    if ":" in values and SETTINGS[name].kind in (int, float):
        return _range(name, values)
    log_classes = (LOG_CLASSES,) if SETTINGS[name].kind is float else ()
    found = tuple(v if v in log_classes else _value(name, v) for v in values.split("|"))
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
    low, high = _value(name, low), _value(name, high)
    if scale not in ([], ["log"]):
        raise ValueError(f"space: expected {_SYNTAX} for {name}, received {text}")
    if not low < high:
        raise ValueError(f"space: expected LOW below HIGH for {name}, received {text}")
    if scale and low <= 0:
        raise ValueError(f"space: expected LOW above 0 for {name} with log, received {text}")
    return Domain(name, low=low, high=high, log=bool(scale))


def _value(name: str, text: str) -> bool | int | float | str:
    kind = SETTINGS[name].kind
    try:
        value = SETTINGS[name].parse(text)
    except ValueError:
        value = math.nan
    if text if kind is str else math.isfinite(value):
        return value
    expected = f"{kind.__name__} values" if kind in (int, float) else _SYNTAX
    raise ValueError(f"space: expected {expected} for {name}, received {text!r}")
