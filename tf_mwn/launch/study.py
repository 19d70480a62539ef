"""Compares four ways to set the hyper-parameters of a loss.

The four ways are the best fixed value of a search, the learned final value used from the start,
the learned trajectory replayed, and the hyper-parameters learned together with the classifier.

    python -m launch.study --method=adaptive_gce
    python -m launch.study --method=adaptive_gce --space="gce_q=0.3|0.5|0.7"
"""

from absl import flags

from tf_mwn.launch import data_flags
from tf_mwn.launch import flags as launch_flags
from tf_mwn.launch.command_line import fail, listed, mistakes, start, work
from tf_mwn.messages import quiet_start
from tf_mwn.search.study_plan import StudyPlan

_SPACE = flags.DEFINE_list(
    "space", None, "Values that the search tries: NAME=A|B|C. By default those of the papers."
)
flags.adopt_module_key_flags(launch_flags)
flags.FLAGS[
    "method"
].help = "The adaptive method, adaptive_gce by default. --method=list shows all methods."


def main(argv: list[str]) -> None:
    del argv
    if not listed(launch_flags.METHOD.value, launch_flags.RECIPE.value):
        if work(_prepare().execute) is None:
            fail("no trial was completed", code=2)


def _prepare():
    """The study that the flags describe, checked. Nothing is written."""
    with mistakes():
        methods = launch_flags.METHOD.value or ["adaptive_gce"]
        if len(methods) != 1:
            raise ValueError(f"method: expected one, received {', '.join(methods)}")
        plan = StudyPlan.make(
            launch_flags.RECIPE.value,
            launch_flags.overrides(),
            methods[0],
            launch_flags.integers("seed", launch_flags.SEED.value),
            _SPACE.value,
            data_flags.location(),
        )
        with quiet_start():
            from tf_mwn.runs.devices import configure_devices
            from tf_mwn.search.study import Study

            strategy = configure_devices(plan.joint.config)
        workdir, location = launch_flags.WORKDIR.value, data_flags.location()
        return Study.prepare(plan, strategy, workdir, location)


if __name__ == "__main__":
    start(main)
