"""Repeats published tables and measures claims: `python -m launch.reproduce --table=3`.

Finds the runs of `launch.main` that a table or a claim needs, trains those that are missing, and
writes ours beside the published numbers to WORKDIR/tables, and every claim with its verdict to
WORKDIR/claims. Settings given as flags hold for all runs whose table or claim does not decide them.
"""

from absl import app, flags

from launch import flags as launch_flags
from launch.command_line import fail, parse, quiet_start
from tf_mwn.reproduction import reproduction
from tf_mwn.reproduction.reproduction import Reproduction


class _Keys(flags.ArgumentParser):
    """Keys with commas between; the bare flag means all."""

    def parse(self, argument):
        if argument is None or isinstance(argument, list):
            return argument
        given = {"true": "all", "false": ""}.get(argument, argument)
        return [key for key in given.split(",") if key]


_TABLE = flags.DEFINE_list(
    "table", [], "Published tables: 1, 2, 3, ablation, arl, clothing1m or all; list shows them."
)
_CLAIMS = flags.DEFINE_flag(
    flags.Flag(
        parser=_Keys(),
        serializer=flags.ListSerializer(","),
        name="claims",
        default=[],
        help_string="Claims, by their letters; all of them without a value; list shows them.",
        boolean=True,
    )
)
_SCALE = flags.DEFINE_enum(
    "scale",
    None,
    ("paper", "cpu"),
    "The papers' settings, or short runs on small data; the latter for claims.",
)
_SEEDS = flags.DEFINE_list("seeds", ["0", "1", "2"], "Seeds of each configuration.")
_JOBS = flags.DEFINE_integer("jobs", 1, "Runs at a time, each a process of its own.", 1)
_DRY_RUN = flags.DEFINE_bool("dry_run", False, "Only show which runs exist and which are missing.")
flags.DEFINE_alias("list", "dry_run")
flags.adopt_module_key_flags(launch_flags)


def main(argv: list[str]) -> None:
    del argv
    if _TABLE.value == ["list"]:
        print(reproduction.tables())
    elif _CLAIMS.value == ["list"]:
        print(reproduction.claims())
    else:
        _work()


def _work() -> None:
    try:
        with quiet_start():  # a network of keras.applications loads TensorFlow to be checked
            plan = _plan()
        if _DRY_RUN.value:
            print(f"{plan.listing()}\n{plan.estimate()}")
            return
        missing = plan.missing()
        print(plan.estimate(), flush=True)
        failed = plan.train(_folders(), _JOBS.value)
        plan.write()
    except (ValueError, TypeError, OSError) as error:
        fail(error)
    except KeyboardInterrupt:
        fail("interrupted; the same command goes on where it stopped", code=2)
    if failed:
        name, problem = next(iter(failed.items()))
        fail(f"{len(failed)} of {len(missing)} runs failed: {name}: {problem}", code=2)


def _plan() -> Reproduction:
    """What the command line asks for, checked; nothing written."""
    for flag in (launch_flags.RECIPE, launch_flags.METHOD, launch_flags.SEED):
        if flag.present:
            raise ValueError(
                f"{flag.name}: expected no such flag, as tables and claims decide it, "
                f"received {flag.value}; see --table, --claims and --seeds"
            )
    return Reproduction.make(
        launch_flags.WORKDIR.value,
        _TABLE.value,
        _CLAIMS.value,
        _SCALE.value,
        launch_flags.integers("seeds", _SEEDS.value),
        launch_flags.overrides(),
        with_sets=launch_flags.DATA_DIR.value is not None or launch_flags.DOWNLOAD.value,
    )


def _folders() -> list[str]:
    """The flags of `launch.main` that say where data and runs are."""
    flag_values = {
        holder.name: holder.value
        for holder in (launch_flags.WORKDIR, launch_flags.DATA_DIR, launch_flags.CACHE_DIR)
        if holder.value is not None
    }
    download = ["--download"] if launch_flags.DOWNLOAD.value else []
    return [*(f"--{name}={value}" for name, value in flag_values.items()), *download]


if __name__ == "__main__":
    app.run(main, flags_parser=parse)
