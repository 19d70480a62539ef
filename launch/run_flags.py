"""The flags of the launchers that read a finished run, and how they load it."""

from absl import flags

from launch.command_line import fail, mistakes, quiet_start
from launch.help import group
from tf_mwn.data.sources.location import DataLocation

# `launch.main` has flags of some of these names, with the same meaning; one process may hold both.
_SHARED = {"allow_override": True}

RUN = flags.DEFINE_string(
    "run", None, "Folder of a finished run: workdir/<recipe>/<method>/seed<k>."
)
DATA_DIR = flags.DEFINE_string(
    "data_dir",
    None,
    "Folder of prepared TFDS sets. By default the folder that TFDS uses.",
    **_SHARED,
)
CACHE_DIR = flags.DEFINE_string(
    "cache_dir",
    None,
    "Folder that keeps decoded images. By default $TF_MWN_CACHE or ~/.cache/tf_mwn.",
    **_SHARED,
)
DOWNLOAD = flags.DEFINE_bool(
    "download", False, "Let TFDS download a set that is not prepared.", **_SHARED
)
flags.declare_key_flag("verbosity")
group("What to read", RUN)
group("Folders and output", DATA_DIR, CACHE_DIR, DOWNLOAD, flags.FLAGS["verbosity"])


def location() -> DataLocation:
    """Where data come from."""
    return DataLocation(DATA_DIR.value, DOWNLOAD.value, CACHE_DIR.value)


def load_run():
    """The `FinishedRun` that the flags name. A mistake of the user ends the program."""
    if not RUN.value:
        fail("run: expected --run=DIR, the folder of a finished run, received none")
    with mistakes():
        with quiet_start():
            from tf_mwn.runs.finished_run import FinishedRun
        return FinishedRun.load(RUN.value, location())
