"""Searches for the settings of one method that give the highest accuracy.

A trial is a run with settings of its own. --objective names the images whose accuracy decides.

    python -m launch.tune --method=gce
    python -m launch.tune --method=gce --space="gce_q=0.3|0.5|0.7"
"""

from absl import flags

from tf_mwn.launch import data_flags
from tf_mwn.launch import flags as launch_flags
from tf_mwn.launch.command_line import fail, listed, mistakes, start, work
from tf_mwn.messages import logger, quiet_start
from tf_mwn.recipes import listing
from tf_mwn.search.sweep_plan import EPOCHS, OBJECTIVES, SEARCHES, SweepPlan

_SPACE = flags.DEFINE_list(
    "space",
    None,
    "Settings to search: NAME=A|B|C, NAME=LOW:HIGH, NAME=LOW:HIGH:log, or NAME alone for its usual "
    "values. By default the method's own settings.",
)
_SEARCH = flags.DEFINE_enum("search", "grid", SEARCHES, "Search strategy.")
_MAX_TRIALS = flags.DEFINE_integer(
    "max_trials",
    None,
    "Number of trials. By default the whole grid, or 10 for random and Bayesian search. Hyperband "
    "decides the number itself.",
    1,
)
_TRIAL_SEEDS = flags.DEFINE_list(
    "trial_seeds", ["0"], "Seeds of every trial. Its objective is the mean over them."
)
_OBJECTIVE = flags.DEFINE_enum(
    "objective", "meta", OBJECTIVES, "Images whose accuracy decides. The test set is never used."
)
_EPOCH = flags.DEFINE_enum("epoch", "last", EPOCHS, "Epoch whose accuracy decides.")
flags.adopt_module_key_flags(launch_flags)
flags.FLAGS["method"].help = "The method to search for. --method=list shows all methods."
flags.FLAGS["seed"].help = "Seed of the random draws of the search."


def main(argv: list[str]) -> None:
    del argv
    if not listed(launch_flags.METHOD.value, launch_flags.RECIPE.value):
        summary = work(_prepare().execute)
        if summary is not None and summary["chosen"] is None:
            fail("no trial was completed", code=2)


def _plan() -> SweepPlan:
    """The plan that the command line describes, checked."""
    seeds = launch_flags.integers("seed", launch_flags.SEED.value)
    if len(seeds) != 1 or seeds[0] < 0:
        raise ValueError(
            "seed: expected one of at least 0, that of the search, received "
            f"{','.join(launch_flags.SEED.value)}; the runs of a trial have --trial_seeds"
        )
    return SweepPlan.make(
        launch_flags.RECIPE.value,
        launch_flags.overrides(),
        launch_flags.METHOD.value,
        _trial_seeds(),
        _SPACE.value,
        _SEARCH.value,
        _OBJECTIVE.value,
        _EPOCH.value,
        _MAX_TRIALS.value,
        seeds[0],
        data_flags.location(),
    )


def _trial_seeds() -> list[int]:
    seeds = launch_flags.integers("trial_seeds", _TRIAL_SEEDS.value)
    if not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 0:
        shown = ",".join(map(str, seeds)) or "none"
        raise ValueError(f"trial_seeds: expected each once and at least 0, received {shown}")
    return seeds


def _prepare():
    """The sweep that the flags describe, checked. Nothing is written."""
    with mistakes():
        plan = _plan()
        logger.info(listing.experiment(plan.experiment))
        with quiet_start():
            from tf_mwn.runs.devices import configure_devices
            from tf_mwn.search.sweep import Sweep

            strategy = configure_devices(plan.experiment.config)
        workdir, location = launch_flags.WORKDIR.value, data_flags.location()
        return Sweep.prepare(plan, strategy, workdir, location)


if __name__ == "__main__":
    start(main)
