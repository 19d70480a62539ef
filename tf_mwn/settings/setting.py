"""One setting of a run: a dataclass field that knows its help text and its range."""

import dataclasses

from tf_mwn.checks import unknown_name


def setting(default, help, **limits):  # noqa: A002
    """A field with its help text, checked by `checked`.

    Args:
        default: its default value.
        help: one line; becomes the flag's help text.
        **limits: `choices`, the values it may have; `least`, `most`, `above`, numbers it must
            not pass; `within`, an `Interval` it must be in; `names_file`, whether the value is a
            file whose content decides the result as much as its name.
    """
    none = dict.fromkeys(("choices", "least", "most", "above", "within", "names_file"))
    return dataclasses.field(default=default, metadata={"help": help, **none, **limits})


def checked(field: dataclasses.Field, value):
    """`value` as the field's type, or a TypeError or ValueError that names the setting."""
    kind, optional, many = scalar_type(field.type)
    if value is None and optional:
        return None
    if not many:
        return _checked_scalar(field, kind, value)
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise TypeError(f"{field.name}: expected a list, received {value!r}")
    return tuple(_checked_scalar(field, kind, item) for item in value)


def scalar_type(annotation) -> tuple[type, bool, bool]:
    """(scalar type, may be None, is a tuple) of a field's annotation."""
    text = annotation if isinstance(annotation, str) else str(annotation)
    for kind in (bool, int, float, str):
        if kind.__name__ in text:
            return kind, "None" in text, "tuple" in text
    raise TypeError(f"no such kind of setting: {annotation}")


def _checked_scalar(field: dataclasses.Field, kind: type, value):
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise TypeError(f"{field.name}: expected {kind.__name__}, received {value!r}")
    limits = field.metadata
    if not limits:
        return value  # inherited: `BiasSettings` checks it
    if limits["choices"] and value not in limits["choices"]:
        raise ValueError(unknown_name(field.name, value, limits["choices"]))
    if limits["within"] is not None:
        limits["within"].check(field.name, value)
    sentence = {"least": "at least {}", "most": "at most {}", "above": "more than {}"}
    for key, holds in (
        ("least", lambda limit: value >= limit),
        ("most", lambda limit: value <= limit),
        ("above", lambda limit: value > limit),
    ):
        if limits[key] is not None and not holds(limits[key]):
            wanted = sentence[key].format(limits[key])
            raise ValueError(f"{field.name}: expected a value of {wanted}, received {value}")
    return value
