"""The flags of the launchers that train, made from the settings."""

from typing import Any

from absl import flags

from tf_mwn.data.bias import settings as bias
from tf_mwn.engine.options import ENGINE
from tf_mwn.launch import data_flags
from tf_mwn.launch.command_line import Path
from tf_mwn.launch.help import RECIPE_DEFAULTS, default_text, group
from tf_mwn.options import Option
from tf_mwn.recipes.experiment import Experiment, resolve
from tf_mwn.settings import config
from tf_mwn.settings.config import SETTINGS
from tf_mwn.training.options import META

RECIPE = flags.DEFINE_string(
    "recipe",
    None,
    "Named settings to start from. By default quickstart, or for data of your own settings that "
    "follow the data. --recipe=list shows all recipes.",
)
METHOD = flags.DEFINE_list(
    "method",
    None,
    "Methods to run. By default those of the recipe. --method=list shows all methods.",
)
SEED = flags.DEFINE_list("seed", ["0"], "Random seeds. Each seed is a separate training.")
flags.DEFINE_alias("seeds", "seed")
WORKDIR = flags.DEFINE(Path(), "workdir", "runs", "Folder for results, figures and checkpoints.")
flags.adopt_module_key_flags(data_flags)

# The settings that all or many methods share. A setting of one method belongs to its spec.
_GENERAL = {
    "Data": config.DATA,
    "Bias of the data": bias.OPTIONS,
    "Training": config.TRAINING,
    "What is learned on the meta set": (*META, *ENGINE),
    "Execution": config.EXECUTION,
}


def _define(option: Option) -> flags.FlagHolder:
    """The flag of a setting; None stands for the recipe's value."""
    text = option.description + default_text(option.default)
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

group("What to run", RECIPE, METHOD, SEED)
for _title, _options in _GENERAL.items():
    _title = f"{_title} ({RECIPE_DEFAULTS})"
    group(_title, *(_SETTINGS[option.name] for option in _options))
group("Folders and output", WORKDIR, *data_flags.MEMBERS)


def overrides() -> dict[str, Any]:
    """The settings given on the command line.

    Raises:
        ValueError: an item of a list is not an integer.
    """
    given = {}
    for name, option in SETTINGS.items():
        value = _SETTINGS[name].value
        if value is not None:
            given[name] = integers(name, value) if option.many else value
    return given


def integers(name: str, texts: list[str]) -> tuple[int, ...]:
    """The integers of a comma-separated flag.

    Raises:
        ValueError: an item is not an integer.
    """
    try:
        return tuple(int(text) for text in texts)
    except ValueError:
        raise ValueError(
            f"{name}: expected integers with commas between, received {','.join(texts)!r}"
        ) from None


def experiment() -> Experiment:
    """The experiment that the command line asks for, checked.

    Raises:
        ValueError, TypeError: a user's mistake, in one sentence.
    """
    seeds = integers("seed", SEED.value)
    return resolve(RECIPE.value, overrides(), METHOD.value, seeds, data_flags.location())
