"""One trial of a sweep: the runs of its seeds, their results and their cost."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tf_mwn.data.splits.biased_data import BiasedData
from tf_mwn.files import Folder, FolderConflictError
from tf_mwn.monitoring import hparams
from tf_mwn.monitoring.callbacks import NonFiniteLossError
from tf_mwn.runs import checkpoint, datasets
from tf_mwn.runs.cost import forward_passes
from tf_mwn.runs.run import Run
from tf_mwn.runs.session import Session
from tf_mwn.runs.train import train
from tf_mwn.search.sweep_plan import SweepPlan, trial_folder

RECORD = "outcome.json"
# These errors make a trial fail. Any other error, such as a full disk, stops the sweep.
_FAILURES = (NonFiniteLossError, ValueError, tf.errors.ResourceExhaustedError)


@dataclasses.dataclass(frozen=True)
class Rung:
    """A rung of Hyperband: how long a trial trains, and which training it continues.

    Attributes:
        epochs: of the whole training.
        lower: epochs of the shorter training of the same values that the trial continues; 0 if it
            continues none.
    """

    epochs: int
    lower: int = 0


class Trials:
    """Trains the trials of a sweep. A trial that has ended is read, not trained again.

    Args:
        plan: the plan of the sweep.
        session: the experiment of the plan, with its data loaded.
        path: the sweep's folder.
    """

    def __init__(self, plan: SweepPlan, session: Session, path: Path):
        self._plan, self._session, self._path = plan, session, path
        self._data: dict[int, BiasedData] = {}

    def data(self, seed: int) -> BiasedData:
        """The data of a seed. All trials share them."""
        if seed not in self._data:
            self._data[seed] = self._session.data(seed)
        return self._data[seed]

    def train(self, number: int, values: Mapping[str, Any], rung: Rung | None) -> dict[str, Any]:
        """Trains a trial unless it has ended; returns its record, the content of outcome.json.

        Args:
            number: of the trial, from 0.
            values: of the searched settings.
            rung: the rung of Hyperband; None to train for the epochs of the recipe.

        Raises:
            FolderConflictError: the folder holds runs of another configuration.
        """
        epochs = rung.epochs if rung else None
        folder = Folder(self._path / trial_folder(values, epochs))
        record = folder.read_json(RECORD)
        if record is None:
            named = {"trial": number, "folder": folder.path.name, "values": dict(values)}
            record = named | self._trained(folder, values, rung)
            _write_row(folder, record)
            folder.write_json(RECORD, record)
        return record

    def _trained(self, folder: Folder, values, rung: Rung | None) -> dict[str, Any]:
        problem, runs = None, []
        try:
            experiment = self._plan.trial(values, rung.epochs if rung else None)
            data = self.data(experiment.seeds[0])
            datasets.check_sizes(experiment.config, data, [self._plan.method_spec])
            session = dataclasses.replace(
                self._session, workdir=str(self._path), experiment=experiment
            )
            runs = list(session.runs())
            for run in runs:
                self._start(run, values, rung)
                train(run, self.data(run.seed), session.strategy)
        except FolderConflictError:
            raise
        except _FAILURES as error:
            problem = " ".join(str(error).split())
        folder.path.mkdir(parents=True, exist_ok=True)
        return self._record(runs, problem, rung)

    def _start(self, run: Run, values, rung: Rung | None) -> None:
        """Copies the checkpoint of the lower rung to a run that continues it."""
        if not self._continues(rung):
            return
        lower = Folder(self._path / trial_folder(values, rung.lower))
        source = lower / run.path.relative_to(run.path.parents[1])
        with run.folder.locked():
            run.claim(self.data(run.seed).card["fingerprint"])
            if not (run.folder / checkpoint.CHECKPOINT).exists():
                with run.folder.replacing(checkpoint.CHECKPOINT) as path:
                    path.write_bytes((source / checkpoint.CHECKPOINT).read_bytes())

    def _continues(self, rung: Rung | None) -> bool:
        """Whether a trial continues its lower rung.

        It must not if the method depends on the number of epochs: then the shorter training is not
        the beginning of the longer one.
        """
        return bool(rung and rung.lower) and "epochs" not in self._plan.method_spec.facts

    def _record(self, runs: list[Run], problem: str | None, rung: Rung | None) -> dict[str, Any]:
        before = rung.lower if self._continues(rung) else 0
        histories = [run.metrics() for run in runs]
        spent = [max(0, len(history.get("epoch", ())) - before) for history in histories]
        method = self._plan.method_spec
        costs = [
            forward_passes(run.config, method, self.data(run.seed), before, before + epochs)
            for epochs, run in zip(spent, runs, strict=True)
        ]
        record = {
            "status": "completed" if problem is None else "failed",
            "problem": problem,
            "epochs": rung.epochs if rung else self._plan.experiment.config.epochs,
            "epochs_trained": sum(spent),
            "forward_passes": sum(costs),
        }
        if runs:
            record["epochs"] = runs[0].config.epochs
        if problem is None:
            record.update(self._reached(runs, histories))
        return record

    def _reached(self, runs: list[Run], histories: list[dict[str, np.ndarray]]) -> dict[str, list]:
        """A value per seed of the objective, and of test accuracies, which decide nothing."""
        name = f"{self._plan.objective}_accuracy"
        curves = [history[name] for history in histories]
        last = self._plan.epoch == "last"
        chosen = [len(curve) - 1 if last else int(curve.argmax()) for curve in curves]
        results = [run.results for run in runs]
        return {
            "objective": [float(curve[i]) for curve, i in zip(curves, chosen, strict=True)],
            "objective_epoch": [i + 1 for i in chosen],
            "last_epoch_accuracy": [result["last_epoch_accuracy"] for result in results],
            "best_epoch_accuracy": [result["best_epoch_accuracy"] for result in results],
            "objective_epoch_accuracy": [
                float(history["test_accuracy"][i])
                for history, i in zip(histories, chosen, strict=True)
            ],
        }


def _write_row(folder: Folder, record: Mapping[str, Any]) -> None:
    """Writes the trial as a row of TensorBoard's HParams."""
    measures = {name: np.mean(record[name]) for name in hparams.MEASURES if name in record}
    failed = record["status"] == "failed"
    hparams.write_trial(folder / "hparams", folder.path.name, record["values"], measures, failed)
