"""The flags, made from the settings; and nothing else."""

from typing import Any

from absl import flags

from tf_mwn.options import Option
from tf_mwn.recipes.experiment import Experiment, resolve
from tf_mwn.settings.config import SETTINGS

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


def _define(option: Option) -> flags.FlagHolder:
    """One flag per setting; None stands for the recipe's value."""
    text, default = option.description, option.default
    if default not in (None, ()):
        shown = ",".join(map(str, default)) if option.many else default
        text += f" Default, unless the recipe says otherwise: {shown}."
    if option.many:
        return flags.DEFINE_list(option.name, None, text)
    define = {
        bool: flags.DEFINE_bool,
        int: flags.DEFINE_integer,
        float: flags.DEFINE_float,
        str: flags.DEFINE_string,
    }[option.kind]
    return define(option.name, None, text)


_SETTINGS = {name: _define(option) for name, option in SETTINGS.items()}


def overrides() -> dict[str, Any]:
    """The settings given on the command line.

    Raises:
        ValueError: a list of integers that holds something else.
    """
    given = {}
    for name, option in SETTINGS.items():
        value = _SETTINGS[name].value
        if value is not None:
            given[name] = integers(name, value) if option.many else value
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
