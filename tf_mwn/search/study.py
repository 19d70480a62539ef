"""Compares four ways to set the hyper-parameters of one loss.

They are fixed at the best value of a search; fixed from the start at the final value of an
adaptive run; made to follow the trajectory of that run; or learned together with the classifier,
as in the adaptive run itself.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

import tf_mwn
from tf_mwn.data.sources.location import DEFAULT_LOCATION, DataLocation
from tf_mwn.files import Folder, scalars
from tf_mwn.methods import registry
from tf_mwn.monitoring import figures
from tf_mwn.recipes.experiment import resolve
from tf_mwn.runs.cost import forward_passes
from tf_mwn.runs.run import METRICS, Run
from tf_mwn.runs.session import Session
from tf_mwn.runs.train import train
from tf_mwn.search.study_plan import FINAL, JOINT, REPLAYED, SEARCHED, STUDY, StudyPlan
from tf_mwn.search.sweep import Sweep
from tf_mwn.tables import mean_and_deviation, text_table

_LEGEND = (
    "test accuracy in %, mean ± standard deviation over the seeds; cost of one seed in plain "
    "trainings,\nwith the trainings that found the value"
)


@dataclasses.dataclass(frozen=True)
class Row:
    """One way to set the hyper-parameters.

    Attributes:
        name: of the way.
        values: the hyper-parameters of the training, as text.
        results: for each seed the content of results.json, or the part that a sweep keeps.
        cost: of one seed in plain trainings, including the trainings that found the values.
    """

    name: str
    values: str
    results: Sequence[Mapping[str, float]]
    cost: float


@dataclasses.dataclass(frozen=True)
class Study:
    """A study with its data loaded and every setting checked; nothing is written yet.

    Attributes:
        plan: what to do.
        session: the adaptive runs.
        sweep: the search for the best fixed values.
    """

    plan: StudyPlan
    session: Session
    sweep: Sweep

    @classmethod
    def prepare(
        cls,
        plan: StudyPlan,
        strategy: tf.distribute.Strategy,
        workdir: str,
        location: DataLocation = DEFAULT_LOCATION,
    ) -> "Study":
        """Loads the data and refuses whatever would fail later.

        Raises:
            ValueError, TypeError, OSError: one sentence that says what to change.
        """
        session = Session.prepare(plan.joint, strategy, workdir, location)
        return cls(plan, session, Sweep.prepare(plan.search, strategy, workdir, location))

    def execute(self) -> list[Row] | None:
        """Trains the runs that are missing, then prints and writes the comparison.

        Returns:
            Its rows; None if every trial of the search failed.
        """
        summary = self.sweep.execute()
        if summary["chosen"] is None:
            return None
        search = self._searched(summary)
        self.session.execute()
        joint = list(self.session.runs())
        rows = [search, *self._after(joint)]
        folder = Folder(Path(self.session.workdir) / self.plan.folder)
        self._write(folder, rows)
        print(f"\n{_table(rows)}\n\nstudy       {folder.path}", flush=True)
        return rows

    def _searched(self, summary: dict[str, Any]) -> Row:
        best = summary["chosen"]
        keys = ("last_epoch_accuracy", "best_epoch_accuracy")
        results = [
            dict(zip(keys, pair, strict=True))
            for pair in zip(*(best[key] for key in keys), strict=True)
        ]
        cost = summary["plain_trainings"] / len(self.plan.joint.seeds)
        return Row(SEARCHED, _listed(best["values"]), results, cost)

    def _after(self, joint: Sequence[Run]) -> list[Row]:
        """The rows that start from the adaptive runs, and the row of these runs."""
        finals = [_final_values(run) for run in joint]
        fixed, replayed, learned = [], [], []
        for run, values in zip(joint, finals, strict=True):
            data = self.session.data(run.seed)
            named = {f"{self.plan.fixed.name}_{name}": value for name, value in values.items()}
            fixed.append(self._train(run.seed, named, data))
            replayed.append(self._train(run.seed, self._replay(run), data))
            learned.append(train(run, data, self.session.strategy))
        cost = self._cost(self.session.data(joint[0].seed))
        final = "; ".join(map(_listed, finals))
        return [
            Row(FINAL, final, fixed, cost + 1),
            Row(REPLAYED, "as learned", replayed, cost + 1),
            Row(JOINT, f"-> {final}", learned, cost),
        ]

    def _replay(self, run: Run) -> dict[str, Any]:
        """Settings with which the fixed loss repeats the trajectory of an adaptive run."""
        shared = {o.name for o in self.plan.method.options} & {
            o.name for o in self.plan.fixed.options
        }
        start = {name: getattr(run.config, name) for name in sorted(shared)}
        return {**start, "trajectory": str(run.folder / METRICS)}

    def _train(self, seed: int, values: Mapping[str, Any], data) -> dict[str, Any]:
        plan = self.plan
        settings = {**plan.overrides, **values}
        joint = plan.joint
        experiment = resolve(
            joint.recipe.name, settings, [plan.fixed.name], [seed], facts=joint.facts
        )
        session = dataclasses.replace(self.session, experiment=experiment)
        (run,) = session.runs()
        return train(run, data, session.strategy)

    def _cost(self, data) -> float:
        config = self.plan.joint.config
        plain = forward_passes(config, registry.find("cross_entropy"), data)
        return forward_passes(config, self.plan.method, data) / plain

    def _write(self, folder: Folder, rows: Sequence[Row]) -> None:
        folder.path.mkdir(parents=True, exist_ok=True)
        written = [dataclasses.asdict(row) for row in rows]
        made = {"version": tf_mwn.__version__, **self.plan.identity()}
        folder.write_json(STUDY, {**made, "rows": written})
        accuracies = {row.name: [r["last_epoch_accuracy"] for r in row.results] for row in rows}
        title = f"{self.plan.method.name}, {self.plan.joint.folder}"
        with folder.replacing("study.png") as path:
            path.write_bytes(figures.png(figures.points(accuracies, "test accuracy", title)))


def _final_values(run: Run) -> dict[str, float]:
    """The hyper-parameters at the end of an adaptive run, by their name in the loss."""
    return {name: float(values[-1]) for name, values in scalars(run.metrics()).items()}


def _table(rows: Sequence[Row]) -> str:
    header = ("hyper-parameters", "values", "last epoch", "best epoch", "cost")
    cells = [
        (
            row.name,
            row.values,
            mean_and_deviation([100 * result["last_epoch_accuracy"] for result in row.results]),
            mean_and_deviation([100 * result["best_epoch_accuracy"] for result in row.results]),
            f"{row.cost:.1f}",
        )
        for row in rows
    ]
    return f"{text_table(header, cells)}\n{_LEGEND}"


def _listed(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in values.items())
