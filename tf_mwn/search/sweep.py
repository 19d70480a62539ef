"""Searches a method's settings with Keras Tuner. Every trial consists of ordinary runs.

Keras Tuner proposes values and receives the objective. Its own files are not read. A search
is a function of its seed and of the objectives. So the same command repeats the search from the
beginning and reads the finished trials from their folders. A search that was killed and resumed
equals one that was never killed.
"""

import contextlib
import dataclasses
import io
import itertools
import math
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from sklearn.exceptions import ConvergenceWarning

from tf_mwn.data.sources.location import DEFAULT_LOCATION, DataLocation
from tf_mwn.data.splits.card import format_card
from tf_mwn.extras import extra
from tf_mwn.files import Folder
from tf_mwn.messages import logger, long_step
from tf_mwn.methods import registry
from tf_mwn.monitoring import hparams
from tf_mwn.runs.cost import forward_passes
from tf_mwn.runs.run import completed_identity
from tf_mwn.runs.session import Session
from tf_mwn.search import sweep_summary
from tf_mwn.search.space import Domain
from tf_mwn.search.sweep_plan import SweepPlan, trial_folder
from tf_mwn.search.sweep_trial import Rung, Trials

with extra("tune"):
    import keras_tuner

_OBJECTIVE = keras_tuner.Objective("objective", "max")
# However many trials of a bad region fail in a row, the search goes on.
_FAILURES = 10**9


@dataclasses.dataclass
class Sweep:
    """A plan with its data loaded and its values checked; nothing is written yet.

    Attributes:
        plan: what to do.
        session: the experiment that the trials share.
        space: the space of the plan, with ln C as a number.
    """

    plan: SweepPlan
    session: Session
    space: tuple[Domain, ...]

    @classmethod
    def prepare(
        cls,
        plan: SweepPlan,
        strategy: tf.distribute.Strategy,
        workdir: str,
        location: DataLocation = DEFAULT_LOCATION,
    ) -> "Sweep":
        """Loads the data and refuses whatever would fail in every trial.

        Raises:
            ValueError, TypeError, OSError: one sentence that says what to change.
        """
        session = Session.prepare(plan.experiment, strategy, workdir, location)
        num_classes = len(session.source.class_names)
        return cls(plan, session, tuple(d.of_classes(num_classes) for d in plan.space))

    @property
    def path(self) -> Path:
        """The sweep's folder."""
        return Path(self.session.workdir) / self.plan.folder

    def execute(self) -> dict[str, Any] | None:
        """Runs the search, then prints and writes its results.

        Returns:
            The content of summary.json; None on a worker of a distributed search, whose chief
            writes the file.

        Raises:
            FolderConflictError: the folder holds another sweep, or another process works in it.
            RuntimeError: a worker has written its trials to another folder.
        """
        trials = Trials(self.plan, self.session, self.path)
        data = trials.data(self.plan.experiment.seeds[0])
        logger.info("\n%s\n", format_card(data.card))
        if _is_worker():
            _search(self._tuner(trials))
            return None
        folder = Folder(self.path)
        with folder.locked():
            folder.claim(self.plan.identity(data.card["fingerprint"]), completed_identity)
            _write_space(folder, self.space)
            tuner = self._tuner(trials)
            _search(tuner)
            return self._report(folder, data, tuner.oracle)

    def _tuner(self, trials: Trials) -> "_Tuner":
        oracle = _oracle(self.plan, self.space)
        with contextlib.redirect_stdout(io.StringIO()):
            return _Tuner(trials, self.space, oracle, self.path / "keras_tuner")

    def _report(self, folder: Folder, data, oracle: keras_tuner.Oracle) -> dict[str, Any]:
        config = self.plan.experiment.config
        plain = registry.find("cross_entropy")
        cost = forward_passes(config, plain, data)
        records = sweep_summary.records(self.path)
        found = {record["folder"] for record in records}
        missing = {self._folder_of(trial) for trial in oracle.trials.values()} - found
        if missing:
            raise RuntimeError(
                f"{self.path}: expected {', '.join(sorted(missing))}, which a worker has trained "
                "elsewhere; workers need the chief's flags and a workdir that all machines share"
            )
        summary = sweep_summary.summarise(self.plan, records, cost)
        sweep_summary.write(self.plan, folder, records, summary)
        print(f"\n{sweep_summary.text(self.plan, records, summary)}")
        print(f"summary     {folder / sweep_summary.SUMMARY}")
        print(f"TensorBoard tensorboard --logdir {folder.path}", flush=True)
        return summary

    def _folder_of(self, trial) -> str:
        rung = _rung(trial.hyperparameters.values)
        return trial_folder(_values(trial, self.space), rung and rung.epochs)


class _Tuner(keras_tuner.engine.base_tuner.BaseTuner):
    """Trains the values that the oracle proposes and reports their objective."""

    def __init__(self, trials: Trials, space: tuple[Domain, ...], oracle, directory: Path):
        name = os.environ.get("KERASTUNER_TUNER_ID", "tuner0")
        super().__init__(oracle, directory=str(directory), project_name=name, overwrite=True)
        self._trials, self._space = trials, space

    def run_trial(self, trial, **options) -> dict[str, float]:
        values = _values(trial, self._space)
        number = int(trial.trial_id)
        shown = ", ".join(f"{name} = {value}" for name, value in values.items())
        try:
            rung = _rung(trial.hyperparameters.values)
            logger.info("trial %d: %s", number, shown)
            with long_step(f"trial {number}"):
                record = self._trials.train(number, values, rung)
        except Exception as error:  # Keras Tuner would count a failed trial and go on
            raise keras_tuner.errors.FatalError(str(error)) from error
        if record["status"] == "failed":
            logger.info("trial %d failed: %s", number, record["problem"])
        # The oracle takes NaN for a failed trial. It would print the traceback of an exception.
        return {_OBJECTIVE.name: float(np.mean(record.get("objective", math.nan)))}


class _Grid(keras_tuner.Oracle):
    """Proposes every combination in order, to any number of workers.

    The grid of Keras Tuner proposes a combination only after the one before has ended, so that
    workers would wait.
    """

    def populate_space(self, trial_id):
        values = [parameter.values for parameter in self.hyperparameters.space]
        names = [parameter.name for parameter in self.hyperparameters.space]
        rest = itertools.islice(itertools.product(*values), len(self.trials), None)
        combination = next(rest, None)
        if combination is None:
            return {"status": "STOPPED", "values": None}
        return {"status": "RUNNING", "values": dict(zip(names, combination, strict=True))}


def _oracle(plan: SweepPlan, space: tuple[Domain, ...]) -> keras_tuner.Oracle:
    options = {
        "objective": _OBJECTIVE,
        "hyperparameters": _hyperparameters(space),
        "seed": plan.seed + 1,  # for Keras Tuner 0 means no seed
        "max_consecutive_failed_trials": _FAILURES,
    }
    if plan.search == "hyperband":
        epochs = plan.experiment.config.epochs
        return keras_tuner.oracles.HyperbandOracle(max_epochs=epochs, **options)
    oracle = {
        "grid": _Grid,
        "random": keras_tuner.oracles.RandomSearchOracle,
        "bayesian": keras_tuner.oracles.BayesianOptimizationOracle,
    }[plan.search]
    return oracle(max_trials=plan.max_trials, **options)


def _hyperparameters(space: tuple[Domain, ...]) -> keras_tuner.HyperParameters:
    parameters = keras_tuner.HyperParameters()
    for domain in space:
        if domain.values:
            parameters.Choice(domain.name, list(domain.values))
        else:
            define = parameters.Int if domain.kind is int else parameters.Float
            sampling = "log" if domain.log else "linear"
            define(domain.name, domain.low, domain.high, sampling=sampling)
    return parameters


def _values(trial, space: tuple[Domain, ...]) -> dict[str, Any]:
    """The settings of one of Keras Tuner's trials."""
    values = trial.hyperparameters.values
    return {domain.name: domain.nearest(values[domain.name]) for domain in space}


def _rung(values: dict[str, Any]) -> Rung | None:
    if "tuner/epochs" not in values:
        return None
    return Rung(values["tuner/epochs"], values["tuner/initial_epoch"])


def _search(tuner: _Tuner) -> None:
    """Runs the search. An error that stops it is raised as it was, not wrapped by Keras Tuner."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "All-NaN axis", RuntimeWarning)  # failed trials
            warnings.filterwarnings("ignore", category=ConvergenceWarning)  # Bayesian search
            tuner.search(verbose=0)
    except keras_tuner.errors.FatalError as error:
        raise error.__cause__ or error from None


def _is_worker() -> bool:
    name = os.environ.get("KERASTUNER_TUNER_ID", "")
    return "KERASTUNER_ORACLE_IP" in os.environ and "chief" not in name


def _write_space(folder: Folder, space: tuple[Domain, ...]) -> None:
    values = {domain.name: domain.values for domain in space if domain.values}
    ranges = {domain.name: (domain.low, domain.high) for domain in space if not domain.values}
    hparams.write_space(folder / "hparams", values, ranges)
