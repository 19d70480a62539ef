"""The flags, made from the settings; and nothing else."""

import dataclasses
from typing import Any

from absl import flags

from tf_mwn.recipes.experiment import Experiment, resolve
from tf_mwn.settings.config import Config, description, scalar_type

RECIPE = flags.DEFINE_string(
    "recipe", "quickstart", "Named settings; --recipe=list shows them all."
)
METHOD = flags.DEFINE_list(
    "method", None, "Methods to run; those of the recipe by default. --method=list shows them all."
)
SEED = flags.DEFINE_list("seed", ["0"], "Seeds; each is a training of its own.")
WORKDIR = flags.DEFINE_string("workdir", "runs", "Folder for results, figures and checkpoints.")
DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Folder of prepared TFDS sets; TFDS' own default otherwise."
)
CACHE_DIR = flags.DEFINE_string(
    "cache_dir", None, "Folder that keeps decoded images; $TF_MWN_CACHE or ~/.cache/tf_mwn."
)
DOWNLOAD = flags.DEFINE_bool("download", False, "Let TFDS download a set that is not prepared.")
flags.declare_key_flag("verbosity")


def places() -> tuple[str, str | None, bool, str | None]:
    """Where runs go and data come from: workdir, data_dir, download, cache_dir."""
    return WORKDIR.value, DATA_DIR.value, DOWNLOAD.value, CACHE_DIR.value


def _define(field: dataclasses.Field) -> flags.FlagHolder:
    """One flag per setting; None stands for the recipe's value."""
    kind, _, many = scalar_type(field.type)
    text, default = description(field), field.default
    if default not in (None, ()):
        shown = ",".join(map(str, default)) if many else default
        text += f" Default, unless the recipe says otherwise: {shown}."
    if many:
        return flags.DEFINE_list(field.name, None, text)
    define = {
        bool: flags.DEFINE_bool,
        int: flags.DEFINE_integer,
        float: flags.DEFINE_float,
        str: flags.DEFINE_string,
    }[kind]
    return define(field.name, None, text)


_SETTINGS = {field.name: _define(field) for field in dataclasses.fields(Config)}


def overrides() -> dict[str, Any]:
    """The settings given on the command line.

    Raises:
        ValueError: a list of integers that holds something else.
    """
    given = {}
    for field in dataclasses.fields(Config):
        value = _SETTINGS[field.name].value
        if value is not None:
            many = scalar_type(field.type)[2]
            given[field.name] = integers(field.name, value) if many else value
    return given


def integers(name: str, texts: list[str]) -> tuple[int, ...]:
    """The integers of a comma-separated flag."""
    try:
        return tuple(int(text) for text in texts)
    except ValueError:
        raise ValueError(
            f"{name}: expected integers with commas between, received {','.join(texts)!r}"
        ) from None


def experiment() -> Experiment:
    """What the command line asks for, checked.

    Raises:
        ValueError, TypeError: one sentence that says what to change.
    """
    return resolve(RECIPE.value, overrides(), METHOD.value, integers("seed", SEED.value))
