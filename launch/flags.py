"""The flags of the launchers that train, made from the settings."""

from typing import Any

from absl import flags

from launch.help import RECIPE_DEFAULTS, default_text, group
from tf_mwn.data.bias import settings as bias
from tf_mwn.data.sources.location import DataLocation
from tf_mwn.engine.options import ENGINE
from tf_mwn.options import Option
from tf_mwn.recipes.experiment import Experiment, resolve
from tf_mwn.settings import config
from tf_mwn.settings.config import SETTINGS
from tf_mwn.training.options import META

RECIPE = flags.DEFINE_string(
    "recipe", "quickstart", "Named settings to start from. --recipe=list shows all recipes."
)
METHOD = flags.DEFINE_list(
    "method",
    None,
    "Methods to run. By default those of the recipe. --method=list shows all methods.",
)
SEED = flags.DEFINE_list("seed", ["0"], "Random seeds. Each seed is a training of its own.")
WORKDIR = flags.DEFINE_string("workdir", "runs", "Folder for results, figures and checkpoints.")
DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Folder of prepared TFDS sets. By default the folder that TFDS uses."
)
CACHE_DIR = flags.DEFINE_string(
    "cache_dir",
    None,
    "Folder that keeps decoded images. By default $TF_MWN_CACHE or ~/.cache/tf_mwn.",
)
DOWNLOAD = flags.DEFINE_bool("download", False, "Let TFDS download a set that is not prepared.")
flags.declare_key_flag("verbosity")

# The settings that every method has or many share. Those of one method belong to its spec.
_GENERAL = {
    "Data": config.DATA,
    "Bias of the data": bias.OPTIONS,
    "Training": config.TRAINING,
    "What is learned on the meta set": (*META, *ENGINE),
    "Execution": config.EXECUTION,
}


def places() -> tuple[str, DataLocation]:
    """Where runs go and where data come from."""
    return WORKDIR.value, DataLocation(DATA_DIR.value, DOWNLOAD.value, CACHE_DIR.value)


def _define(option: Option) -> flags.FlagHolder:
    """One flag per setting; None stands for the recipe's value."""
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
group("Folders and output", WORKDIR, DATA_DIR, CACHE_DIR, DOWNLOAD, flags.FLAGS["verbosity"])


def overrides() -> dict[str, Any]:
    """The settings given on the command line.

    Raises:
        ValueError: an item of a list is no integer.
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
        ValueError: an item is no integer.
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
        ValueError, TypeError: a mistake of the user, in one sentence.
    """
    return resolve(RECIPE.value, overrides(), METHOD.value, integers("seed", SEED.value))
