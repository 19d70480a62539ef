"""Searches the settings of one method: `python -m launch.tune --method=NAME [--flags]`."""

from absl import app, flags

from launch import flags as launch_flags
from launch.command_line import fail, mistakes, parse, quiet_start, work
from tf_mwn.messages import logger
from tf_mwn.recipes import listing
from tf_mwn.search.sweep_plan import EPOCHS, OBJECTIVES, SEARCHES, Plan

_SPACE = flags.DEFINE_list(
    "space",
    None,
    "Settings to search: NAME=A|B|C, NAME=LOW:HIGH, NAME=LOW:HIGH:log, or NAME alone for its usual "
    "values; the method's own settings by default.",
)
_SEARCH = flags.DEFINE_enum("search", "grid", SEARCHES, "How the space is searched.")
_MAX_TRIALS = flags.DEFINE_integer(
    "max_trials", None, "Trials in all; by default the whole grid, or 10 drawn ones.", 1
)
_TRIAL_SEEDS = flags.DEFINE_list(
    "trial_seeds", ["0"], "Seeds of every trial, whose objective is the mean over them."
)
_OBJECTIVE = flags.DEFINE_enum(
    "objective", "meta", OBJECTIVES, "Images on which the accuracy decides; never the test set."
)
_EPOCH = flags.DEFINE_enum("epoch", "last", EPOCHS, "Epoch at which it decides.")
flags.adopt_module_key_flags(launch_flags)
flags.FLAGS["seed"].help = "Seed of what random, Bayesian and Hyperband search draw."


def main(argv: list[str]) -> None:
    del argv
    if launch_flags.RECIPE.value == "list":
        print(listing.recipes())
    elif launch_flags.METHOD.value == ["list"]:
        print(listing.methods())
    else:
        _run(_prepare())


def _plan() -> Plan:
    """What the command line asks for, checked."""
    seeds = launch_flags.integers("seed", launch_flags.SEED.value)
    if len(seeds) != 1 or seeds[0] < 0:
        raise ValueError(
            "seed: expected one of at least 0, that of the search, received "
            f"{','.join(launch_flags.SEED.value)}; the runs of a trial have --trial_seeds"
        )
    return Plan.make(
        launch_flags.RECIPE.value,
        launch_flags.overrides(),
        launch_flags.METHOD.value,
        launch_flags.integers("trial_seeds", _TRIAL_SEEDS.value),
        _SPACE.value,
        _SEARCH.value,
        _OBJECTIVE.value,
        _EPOCH.value,
        _MAX_TRIALS.value,
        seeds[0],
    )


def _prepare():
    """The sweep that the flags ask for, every setting checked and nothing written."""
    with mistakes():
        plan = _plan()
        logger.info(listing.experiment(plan.experiment))
        with quiet_start():
            from tf_mwn.runs.devices import configure_devices
            from tf_mwn.search.sweep import Sweep

            strategy = configure_devices(plan.experiment.config)
        return Sweep.prepare(
            plan,
            strategy,
            *launch_flags.places(),
        )


def _run(sweep) -> None:
    summary = work(sweep.execute)
    if summary is not None and summary["chosen"] is None:
        fail("no trial was completed", code=2)


if __name__ == "__main__":
    app.run(main, flags_parser=parse)
