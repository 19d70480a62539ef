"""Repeats published tables and measures claims.

Finds the runs of launch.main that a table or a claim needs, and trains those that are missing.
Writes our numbers beside the published ones to WORKDIR/tables, and every claim with its verdict to
WORKDIR/claims. Every configuration runs with the seeds 0, 1 and 2, or those of --seed. A setting
given as a flag holds for every run whose table or claim does not decide it.

    python -m launch.reproduce --table=3 --scale=cpu
    python -m launch.reproduce --claims --list
"""

from absl import flags

from tf_mwn.files import check_writable
from tf_mwn.launch import data_flags
from tf_mwn.launch import flags as launch_flags
from tf_mwn.launch.command_line import fail, mistakes, start
from tf_mwn.messages import quiet_start
from tf_mwn.reproduction import reproduction
from tf_mwn.reproduction.reproduction import Reproduction
from tf_mwn.reproduction.tables import SCALES


class _Keys(flags.ArgumentParser):
    """Comma-separated keys. The flag without a value means all."""

    def parse(self, argument):
        if argument is None or isinstance(argument, list):
            return argument
        given = {"true": "all", "false": ""}.get(argument, argument)
        return [key for key in given.split(",") if key]


_TABLE = flags.DEFINE_list(
    "table", [], "Published tables to repeat, or all. --table=list shows all tables."
)
_CLAIMS = flags.DEFINE_flag(
    flags.Flag(
        parser=_Keys(),
        serializer=flags.ListSerializer(","),
        name="claims",
        default=[],
        help_string="Letters of the claims to measure. Without a value all claims. "
        "--claims=list shows them.",
        boolean=True,
    )
)
_SCALE = flags.DEFINE_enum(
    "scale",
    None,
    SCALES,
    "paper: the settings of the papers. cpu: short runs on small data, the only scale of claims.",
)
_JOBS = flags.DEFINE_integer(
    "jobs", 1, "Number of runs at a time. Each run is a process of its own.", 1
)
_ROBUST = flags.DEFINE_bool(
    "robust", False, "Compare robust with other methods on many biases, instead of a table."
)
_ONLY = flags.DEFINE_list("only", [], "Methods or labels of the rows to repeat. All by default.")
_COLUMNS = flags.DEFINE_list(
    "columns", [], "Columns of the tables to repeat, such as cifar10_longtail_100. All by default."
)
_HOURS = flags.DEFINE_float(
    "hours",
    None,
    "Train only the missing runs that are estimated to fit into this many hours: the first seed of "
    "every method and column, then the next seed.",
    lower_bound=0.0,
)
_DRY_RUN = flags.DEFINE_bool("dry_run", False, "Only show which runs exist and which are missing.")
flags.DEFINE_alias("list", "dry_run")
# Tables and claims decide what to run.
_DECIDED = (launch_flags.RECIPE, launch_flags.METHOD)
for _flag in flags.FLAGS.get_key_flags_for_module(launch_flags):
    # --seed would stand under "What to run"; the introduction says what it is here.
    if _flag.name not in {flag.name for flag in (*_DECIDED, launch_flags.SEED)}:
        flags.declare_key_flag(_flag.name)


def main(argv: list[str]) -> None:
    del argv
    if _TABLE.value == ["list"]:
        print(reproduction.list_tables())
    elif _CLAIMS.value == ["list"]:
        print(reproduction.list_claims())
    else:
        _work()


def _work() -> None:
    with mistakes():
        with quiet_start():  # a network of keras.applications loads TensorFlow to be checked
            plan = _plan()
        if _DRY_RUN.value:
            print(plan.listing())
        else:
            check_writable(launch_flags.WORKDIR.value)
        print(plan.estimate(), flush=True)
        wanted = None if _HOURS.value is None else plan.fitting(_HOURS.value)
        if wanted is not None:
            print(f"{len(wanted)} of them fit into {_HOURS.value:g} hours", flush=True)
        if _DRY_RUN.value:
            return
        wanted = plan.missing() if wanted is None else wanted
        failed = plan.train(_folders(), _JOBS.value, wanted)
        plan.write()
    if failed:
        name, problem = next(iter(failed.items()))
        fail(f"{len(failed)} of {len(wanted)} runs failed: {name}: {problem}", code=2)


def _plan() -> Reproduction:
    """The reproduction that the command line describes, checked. Nothing is written."""
    for flag in _DECIDED:
        if flag.present:
            raise ValueError(
                f"{flag.name}: expected no such flag, as tables and claims decide it, "
                f"received {flag.value}; see --table, --claims and --seed"
            )
    return Reproduction.make(
        launch_flags.WORKDIR.value,
        _TABLE.value,
        _CLAIMS.value,
        _SCALE.value,
        launch_flags.integers("seed", launch_flags.SEED.value) if _seeded() else None,
        launch_flags.overrides(),
        robust=_ROBUST.value,
        with_sets=data_flags.DATA_DIR.value is not None or data_flags.DOWNLOAD.value,
        only=_ONLY.value,
        columns=_COLUMNS.value,
    )


def _seeded() -> bool:
    return launch_flags.SEED.present > 0


def _folders() -> list[str]:
    """The flags of `launch.main` that name the folders of data and runs."""
    named = (launch_flags.WORKDIR, data_flags.DATA_DIR, data_flags.CACHE_DIR)
    given = [f"--{flag.name}={flag.value}" for flag in named if flag.value is not None]
    return [*given, *(["--download"] if data_flags.DOWNLOAD.value else [])]


if __name__ == "__main__":
    start(main)
