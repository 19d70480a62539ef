"""One option of a run: its name, default, range and help, stated once.

Flags, settings, checks, help texts, constructor defaults and search grids derive from it.
"""

import dataclasses
import os
from collections.abc import Iterable
from typing import Any

from tf_mwn.checks import Interval, check_name

# In a grid this stands for ln C, the loss of a classifier that guesses among C classes.
LOG_CLASSES = "lnC"
_KINDS = (bool, int, float, str)


@dataclasses.dataclass(frozen=True)
class Option:
    """An option that a user may set.

    Attributes:
        name: of the flag, the setting and the constructor's argument.
        default: the value if none is given. A tuple makes the option a list of values.
        range: an `Interval` of numbers, the names to choose from, or None for any value.
        help: one or two sentences that read well alone. `description` adds the range, and the
            command line the default.
        grid: the values that a search tries if it is told none.
        kind: bool, int, float or str. By default the type of `default`.
        names_file: whether the value is a file whose content decides the result.
        is_path: whether the value may be a path, in which `~` is expanded. So is every file's.
    """

    name: str
    default: Any
    range: Interval | tuple[str, ...] | None
    help: str
    grid: tuple = ()
    kind: type | None = None
    names_file: bool = False
    is_path: bool = False

    def __post_init__(self):
        if self.kind is None:
            of = self.default[0] if self.many and self.default else self.default
            object.__setattr__(self, "kind", type(of))
        if self.kind not in _KINDS:
            raise TypeError(
                f"{self.name}: expected a kind, which the default does not tell, received none"
            )
        object.__setattr__(self, "default", self.check(self.default))

    @property
    def many(self) -> bool:
        """Whether its value is a list."""
        return isinstance(self.default, tuple)

    def check(self, value: Any) -> Any:
        """`value` as the option's type; None is allowed where it is the default.

        Raises:
            TypeError: another type.
            ValueError: outside the range; the sentence names the option and the range.
        """
        if value is None and self.default is None:
            return None
        if not self.many:
            return self._checked(value)
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise TypeError(f"{self.name}: expected a list, received {value!r}")
        return tuple(self._checked(item) for item in value)

    def _checked(self, value: Any) -> Any:
        if self.kind is float and type(value) is int:
            value = float(value)
        if type(value) is not self.kind:
            raise TypeError(f"{self.name}: expected {self.kind.__name__}, received {value!r}")
        if self.is_path or self.names_file:
            value = os.path.expanduser(value)
        if isinstance(self.range, Interval):
            self.range.check(self.name, value)
        elif self.range is not None:
            check_name(self.name, value, self.range)
        return value

    def parse(self, text: str) -> bool | int | float | str:
        """The value that `text` states, not checked against the range; a bool is true or false.

        Raises:
            ValueError: `text` does not state a value of the option's kind.
        """
        try:
            return {"true": True, "false": False}[text] if self.kind is bool else self.kind(text)
        except (KeyError, ValueError):
            expected = {int: "integers", float: "numbers", bool: "true or false"}[self.kind]
            raise ValueError(f"{self.name}: expected {expected}, received {text!r}") from None

    @property
    def description(self) -> str:
        """The help text, followed by the range."""
        if self.range is None:
            return self.help
        if isinstance(self.range, Interval):
            return f"{self.help} In {self.range}."
        return f"{self.help} One of: {', '.join(self.range)}."


def settings_class(name: str, options: Iterable[Option], bases: tuple[type, ...] = ()) -> type:
    """A frozen dataclass with a field for each option, whose values are checked on construction."""
    fields = [
        (o.name, o.kind, dataclasses.field(default=o.default, metadata={"option": o}))
        for o in options
    ]
    return dataclasses.make_dataclass(name, fields, bases=(*bases, _Checked), frozen=True)


class _Checked:
    """Checks every field of a settings class by its option."""

    def __post_init__(self):
        for option in options_of(type(self)).values():
            value = getattr(self, option.name)
            object.__setattr__(self, option.name, option.check(value))


def options_of(settings: type) -> dict[str, Option]:
    """The options of a settings class, by name."""
    return {field.name: field.metadata["option"] for field in dataclasses.fields(settings)}
