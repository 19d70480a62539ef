"""The flag of the launchers that read a finished run, and how they load the run."""

from absl import flags

from tf_mwn.launch import data_flags
from tf_mwn.launch.command_line import Path, fail, mistakes
from tf_mwn.launch.help import group
from tf_mwn.messages import quiet_start

RUN = flags.DEFINE(
    Path(), "run", None, "Folder of a finished run: workdir/<recipe>/<method>/seed<k>."
)
flags.adopt_module_key_flags(data_flags)
group("What to read", RUN)
group("Folders and output", *data_flags.MEMBERS)


def load_run():
    """The `FinishedRun` that --run names. A user's mistake ends the program."""
    if not RUN.value:
        fail("run: expected --run=DIR, the folder of a finished run, received none")
    with mistakes():
        with quiet_start():
            from tf_mwn.runs.finished_run import FinishedRun
        return FinishedRun.load(RUN.value, data_flags.location())
