"""One run on disk: its identity, its state and its files. Does not import TensorFlow."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tf_mwn.files import CONFIG, Folder, as_json, numbers
from tf_mwn.methods import registry
from tf_mwn.recipes.experiment import Experiment
from tf_mwn.settings.config import Config, completed

RESULTS = "results.json"  # is written last: the run has finished
METRICS, WEIGHTS = "metrics.csv", "weights.csv"
CLASSIFIER = "classifier.keras"
FINISHED, STARTED, MISSING, OTHER = "finished", "started", "missing", "other settings"


@dataclasses.dataclass(frozen=True)
class Run:
    """A method and a seed on a configuration, in `workdir/<experiment>/<method>/seed<k>/`.

    Attributes:
        recipe: name of the recipe.
        method: name of the method.
        seed: the random seed.
        config: all settings.
        folder: the folder of the run, which need not exist yet.
        flags: content of a `--flagfile` that repeats the run.
    """

    recipe: str
    method: str
    seed: int
    config: Config
    folder: Folder
    flags: str = dataclasses.field(default="", kw_only=True)

    @staticmethod
    def of(
        experiment: Experiment,
        method: str,
        seed: int,
        workdir: str | Path,
        folder: Callable[[Path], Folder] = Folder,
    ) -> "Run":
        """The run of an experiment that `launch.main` trains in `workdir`."""
        return Run(
            experiment.recipe.name,
            method,
            seed,
            experiment.config,
            folder(experiment.path(workdir, method, seed)),
            flags=experiment.flags(method, seed),
        )

    @staticmethod
    def finished(path: str | Path) -> "Run":
        """The finished run in the folder `path`.

        Raises:
            ValueError: the folder holds no run, or a run that has not finished.
        """
        folder = Folder(path)
        recorded = folder.read_json(CONFIG)
        if recorded is None:
            raise ValueError(
                "run: expected the folder of a run, workdir/<recipe>/<method>/seed<k>, "
                f"received {path}, which holds no {CONFIG}"
            )
        try:
            what = (recorded[name] for name in ("recipe", "method", "seed"))
            run = Run(*what, Config(**recorded["settings"]), folder)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            reason = " ".join(str(error).split())[:300]
            raise ValueError(
                f"run: expected the settings of a run in {folder / CONFIG}, received {reason}"
            ) from error
        if not isinstance(run.seed, int) or run.method not in registry.METHODS:
            raise ValueError(
                f"run: expected a method and a seed in {folder / CONFIG}, "
                f"received {run.method!r} and {run.seed!r}"
            )
        if run.results is None:
            raise ValueError(
                f"run: expected a run that has ended, received {path} without {RESULTS}; "
                "the command that started it continues it"
            )
        return run

    @property
    def path(self) -> Path:
        return self.folder.path

    @property
    def experiment(self) -> str:
        """The name of the folder of the experiment: of the recipe, or of the user's own data."""
        return self.path.absolute().parent.parent.name or self.recipe

    def beside(self, name: str) -> Path:
        """The folder of the same experiment and seed under `name` in place of the method."""
        return self.path.parent.parent / name / f"seed{self.seed}"

    def identity(self, fingerprint: str) -> dict[str, Any]:
        """Everything that decides the result on data of this fingerprint.

        A folder holds the run of one identity.
        """
        identity = {
            "recipe": self.recipe,
            "method": self.method,
            "seed": self.seed,
            "settings": completed(self.config.to_json()),
            "data": fingerprint,
        }
        files = self.config.file_digests()
        return identity | {"files": files} if files else identity

    def claim(self, fingerprint: str) -> None:
        """Creates the run's folder, or joins the run in it.

        Raises:
            FolderConflictError: the folder holds a run of another identity.
        """
        self.folder.claim(self.identity(fingerprint), completed_identity)

    @property
    def recorded(self) -> dict[str, Any] | None:
        """The identity of the run in the folder, or None if the folder holds no run."""
        return self.folder.read_json(CONFIG)

    @property
    def state(self) -> str:
        """`FINISHED`, `STARTED`, `MISSING`, or `OTHER` if the folder holds a run of other settings.

        Raises:
            FolderConflictError: a file of the run is damaged.
        """
        recorded = self.recorded
        if recorded is None:
            return MISSING
        found, wanted = completed_identity(recorded), as_json(self.identity(""))
        if any(found.get(name) != wanted.get(name) for name in ("settings", "files")):
            return OTHER
        return STARTED if self.results is None else FINISHED

    @property
    def results(self) -> dict[str, Any] | None:
        """The content of results.json, or None if the run has not finished."""
        return self.folder.read_json(RESULTS)

    def metrics(self) -> dict[str, np.ndarray]:
        """The measures [E] of the finished epochs, by name; NaN where unknown.

        Empty before the first epoch has finished.
        """
        columns = self.folder.read_columns(METRICS)
        try:
            return {name: numbers(texts) for name, texts in columns.items()}
        except ValueError as error:
            raise ValueError(
                f"run: expected numbers in {self.folder / METRICS}, received {error}"
            ) from error

    def weights(self) -> dict[str, np.ndarray]:
        """The columns of weights.csv, with a row for each of the N training examples.

        `sample_id` is int64 [N]; `label`, `loss`, `weight` and `clean_label` are float64 [N]. A
        weight is NaN if the method gives none; a clean label is NaN if it is unknown. Names and
        paths are left out.

        Raises:
            ValueError: the file is missing or damaged.
        """
        columns = self.folder.read_columns(WEIGHTS)
        if not columns:
            raise ValueError(f"run: expected {self.folder / WEIGHTS}, received a run without it")
        kinds = {"sample_id": lambda texts: np.array(texts, np.int64)}
        kinds |= dict.fromkeys(("label", "loss", "weight", "clean_label"), numbers)
        missing = [name for name in kinds if name not in columns]
        if missing:
            raise ValueError(
                f"run: expected the columns {', '.join(kinds)} in {self.folder / WEIGHTS}, "
                f"received none called {missing[0]}"
            )
        try:
            return {name: read(columns[name]) for name, read in kinds.items()}
        except (ValueError, OverflowError) as error:
            raise ValueError(
                f"run: expected numbers in {self.folder / WEIGHTS}, received {error}"
            ) from error

    def write_metrics(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Writes metrics.csv, with a row per epoch and a column per measure."""
        names = list(dict.fromkeys(name for record in history for name in record))
        self.folder.write_csv(METRICS, names, [[r.get(name) for name in names] for r in history])

    def write_weights(self, columns: Mapping[str, Sequence | None]) -> None:
        """Writes weights.csv. A column that is None stays empty."""
        self.folder.write_columns(WEIGHTS, columns)

    def write_results(self, results: Mapping[str, Any]) -> None:
        """Writes results.json, which marks the run as finished."""
        self.folder.write_json(RESULTS, results)


def completed_identity(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """A recorded identity with its settings `completed`, in the form of JSON."""
    known = recorded.get("settings", {})
    settings = completed(known)
    if recorded.get("method") == "fine_tuning" and "held_back" not in known:
        settings["held_back"] = 0.0  # which tells it from the training of today
    return {**recorded, "settings": as_json(settings)}
