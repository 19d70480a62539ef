"""What a learned hyper-parameter is worth: its final value, the way to it, or both at once.

Four trainings of one loss are compared: at the best fixed value that a search finds; at the value
an adaptive run has learned, fixed from the start; with that run's trajectory replayed; and the
adaptive run itself, which learns classifier and hyper-parameters together.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

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
        values: what was trained with, as text.
        results: the content of results.json of each seed, or what a sweep kept of it.
        cost: of one seed in plain trainings, with those that found the values.
    """

    name: str
    values: str
    results: Sequence[Mapping[str, float]]
    cost: float


class Study:
    """The study of one adaptive method on one recipe, checked; nothing written yet.

    Args:
        recipe: its name.
        overrides: settings that differ from it.
        method: an adaptive method.
        seeds: each is a study of its own.
        space: what the search tries, see `sweep_space.parse_space`; the papers' grid if None.

    Raises:
        ValueError, TypeError: one sentence that says what to change.
    """

    def __init__(
        self,
        recipe: str,
        overrides: Mapping[str, Any],
        method: str,
        seeds: Sequence[int],
        space: Sequence[str] | None = None,
    ):
        self.plan = StudyPlan.make(recipe, overrides, method, seeds, space)

    def prepare(
        self,
        strategy: tf.distribute.Strategy,
        workdir: str,
        location: DataLocation = DEFAULT_LOCATION,
    ) -> None:
        """Loads the data and refuses what would fail later."""
        self._session = Session.prepare(self.plan.joint, strategy, workdir, location)
        self._sweep = Sweep.prepare(self.plan.search, strategy, workdir, location)

    def execute(self) -> list[Row]:
        """Trains what has not been trained before, prints the comparison and writes it."""
        search = self._searched(self._sweep.execute())
        self._session.execute()
        joint = list(self._session.runs())
        rows = [search, *self._after(joint)]
        folder = Folder(Path(self._session.workdir) / self.plan.folder)
        self._write(folder, rows)
        print(f"\n{_table(rows)}\n\nstudy       {folder.path}", flush=True)
        return rows

    def _searched(self, summary: dict[str, Any]) -> Row:
        best = summary["chosen"]
        if best is None:
            raise ValueError("space: expected a trial that ends, received failures only")
        keys = ("last_epoch_accuracy", "best_epoch_accuracy")
        results = [
            dict(zip(keys, pair, strict=True))
            for pair in zip(*(best[key] for key in keys), strict=True)
        ]
        cost = summary["plain_trainings"] / len(self.plan.joint.seeds)
        return Row(SEARCHED, _shown(best["values"]), results, cost)

    def _after(self, joint: Sequence[Run]) -> list[Row]:
        """The rows that need an adaptive run, and that run's own."""
        finals = [_final_values(run) for run in joint]
        fixed, replayed, learned = [], [], []
        for run, values in zip(joint, finals, strict=True):
            data = self._session.data(run.seed)
            named = {f"{self.plan.fixed.name}_{name}": value for name, value in values.items()}
            fixed.append(self._train(run.seed, named, data))
            replayed.append(self._train(run.seed, self._replay(run), data))
            learned.append(train(run, data, self._session.strategy))
        cost = self._cost(self._session.data(joint[0].seed))
        final = "; ".join(_shown(values) for values in finals)
        return [
            Row(FINAL, final, fixed, cost + 1),
            Row(REPLAYED, "as learned", replayed, cost + 1),
            Row(JOINT, f"-> {final}", learned, cost),
        ]

    def _replay(self, run: Run) -> dict[str, Any]:
        """Settings of the fixed loss that follow an adaptive run from its initial values on."""
        shared = {o.name for o in self.plan.method.options} & {
            o.name for o in self.plan.fixed.options
        }
        start = {name: getattr(run.config, name) for name in sorted(shared)}
        return {**start, "trajectory": str(run.folder / METRICS)}

    def _train(self, seed: int, values: Mapping[str, Any], data) -> dict[str, Any]:
        plan = self.plan
        settings = {**plan.overrides, **values}
        experiment = resolve(plan.joint.recipe.name, settings, [plan.fixed.name], [seed])
        session = dataclasses.replace(self._session, experiment=experiment)
        (run,) = session.runs()
        return train(run, data, session.strategy)

    def _cost(self, data) -> float:
        config = self.plan.joint.config
        plain = forward_passes(config, registry.find("cross_entropy"), data)
        return forward_passes(config, self.plan.method, data) / plain

    def _write(self, folder: Folder, rows: Sequence[Row]) -> None:
        folder.path.mkdir(parents=True, exist_ok=True)
        folder.write_json(STUDY, [dataclasses.asdict(row) for row in rows])
        accuracies = {row.name: [r["last_epoch_accuracy"] for r in row.results] for row in rows}
        title = f"{self.plan.method.name}, {self.plan.joint.folder}"
        with folder.replacing("study.png") as path:
            path.write_bytes(figures.png(figures.points(accuracies, "test accuracy", title)))


def _final_values(run: Run) -> dict[str, float]:
    """The hyper-parameters at the end of an adaptive run, by the name the loss has for them."""
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


def _shown(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in values.items())
