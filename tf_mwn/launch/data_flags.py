"""The flags that say where data come from, of the launchers that train or read a run."""

from absl import flags
from absl import logging as logging  # defines --verbosity

from tf_mwn.data.sources.location import DataLocation
from tf_mwn.launch.command_line import Path

DATA_DIR = flags.DEFINE(
    Path(), "data_dir", None, "Folder of prepared TFDS sets. By default the folder that TFDS uses."
)
CACHE_DIR = flags.DEFINE(
    Path(),
    "cache_dir",
    None,
    "Folder that keeps decoded images. By default $TF_MWN_CACHE or ~/.cache/tf_mwn.",
)
DOWNLOAD = flags.DEFINE_bool("download", False, "Let TFDS download a set that is not prepared.")
flags.declare_key_flag("verbosity")
MEMBERS = (DATA_DIR, CACHE_DIR, DOWNLOAD, flags.FLAGS["verbosity"])


def location() -> DataLocation:
    """Where data come from."""
    return DataLocation(DATA_DIR.value, DOWNLOAD.value, CACHE_DIR.value)
