"""All runs of one experiment, in one process."""

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf

from tf_mwn.data.bias import BiasedData, prepare
from tf_mwn.data.card import format_card
from tf_mwn.data.sources import load
from tf_mwn.data.subset import Source
from tf_mwn.experiments import build, report
from tf_mwn.experiments.config import Config
from tf_mwn.experiments.noise_model import (
    needs_noise_model,
    without_noise,
    write_probabilities,
)
from tf_mwn.experiments.recipes import Experiment
from tf_mwn.experiments.run_folder import RunFolder
from tf_mwn.experiments.train import Run, finished, train
from tf_mwn.methods import registry


@dataclasses.dataclass
class Session:
    """An experiment with its data loaded and every setting checked; nothing written yet.

    Attributes:
        experiment: what to run.
        workdir: where run folders go.
        source: the data set before any bias.
        open_set: the data set of `Config.open_set`, or None.
        strategy: the devices.
    """

    experiment: Experiment
    workdir: str
    source: Source
    open_set: Source | None
    strategy: tf.distribute.Strategy

    @classmethod
    def prepare(
        cls,
        experiment: Experiment,
        strategy: tf.distribute.Strategy,
        workdir: str,
        data_dir: str | None = None,
        download: bool = False,
        cache_dir: str | None = None,
    ) -> "Session":
        """Loads the data and refuses whatever would fail later.

        Raises:
            ValueError, TypeError, OSError: one sentence that says what to change.
        """
        config = experiment.config
        source = build.load_source(config, data_dir, download, cache_dir)
        open_set = None
        if config.open_set is not None:
            open_set = load(config.open_set, data_dir, download, cache_dir=cache_dir)
        session = cls(experiment, workdir, source, open_set, strategy)
        session._check()
        return session

    def data(self, seed: int) -> BiasedData:
        """The splits of one seed, the same for every method.

        Feature-dependent noise without a file of probabilities trains the model it needs first.
        """
        config = self.experiment.config
        if needs_noise_model(config):
            path = self._path("noise_model", seed)
            clean = without_noise(config)
            run = Run("noise model", "cross_entropy", seed, clean, RunFolder(path), "")
            data = prepare(self.source, clean, seed)
            probabilities = write_probabilities(run, data, self.source, self.strategy)
            config = dataclasses.replace(config, noise_probabilities=str(probabilities))
        return prepare(self.source, config, seed, self.open_set)

    def _path(self, method: str, seed: int) -> Path:
        return Path(self.workdir) / self.experiment.folder / method / f"seed{seed}"

    def runs(self) -> Iterator[Run]:
        """Every run, seed by seed, so that an interrupted session has whole comparisons."""
        for seed in self.experiment.seeds:
            for method in self.experiment.methods:
                path = self._path(method, seed)
                name, config = self.experiment.recipe.name, self.experiment.config
                flags = self.experiment.flags(method, seed)
                yield Run(name, method, seed, config, RunFolder(path), flags)

    def execute(self) -> list[dict[str, Any]]:
        """Trains, continues or reports every run, and prints what a user wants to know.

        Returns:
            The content of each run's results.json.
        """
        results, data = [], None
        for run in self.runs():
            if data is None or data.card["seed"] != run.seed:
                data = self.data(run.seed)
                self._print_card(data.card)
            if finished(run) is not None:
                print(f"{run.method} seed {run.seed}: finished before", flush=True)
            results.append(train(run, data, self.strategy))
        self._report(results)
        return results

    def _print_card(self, card: dict[str, Any]) -> None:
        """The data card of the first seed; of the others what differs."""
        if card["seed"] == self.experiment.seeds[0]:
            print(f"\n{format_card(card)}\n", flush=True)
            return
        rate = card["noise"]["realised_rate"]
        noise = "" if rate is None else f", realised noise rate {rate:.4f}"
        print(f"\nseed {card['seed']}{noise}, fingerprint {card['fingerprint'][:16]}", flush=True)

    def _report(self, results: list[dict[str, Any]]) -> None:
        folder = RunFolder(Path(self.workdir) / self.experiment.folder)
        runs = list(self.runs())
        figure = report.write_accuracy_figure(folder, self.experiment.folder, runs)
        print(f"\n{report.table(results)}\n")
        print(f"figure       {figure}")
        for run in runs:
            print(f"run          {run.folder.path}")
        print(f"TensorBoard  tensorboard --logdir {folder.path}", flush=True)

    def _check(self) -> None:
        config, seed = self.experiment.config, self.experiment.seeds[0]
        # A noise model is trained later: sizes and shapes do not depend on it.
        settings = without_noise(config) if needs_noise_model(config) else config
        data = prepare(self.source, settings, seed, self.open_set)
        rows = [registry.find(method) for method in self.experiment.methods]
        build.check_sizes(config, data, rows)
        with self.strategy.scope():
            build.build_model(config, rows[0], data, seed, 1)
        _check_writable(self.workdir)


def configure_devices(config: Config) -> tf.distribute.Strategy:
    """Applies the process-wide settings of `config`, before any tensor is made.

    Returns:
        The strategy: all GPUs, or logical CPU devices; the default one for "none".

    Raises:
        ValueError: for more devices than can be had.
    """
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()
    if config.strategy == "none":
        tf.config.list_logical_devices()
        return tf.distribute.get_strategy()
    gpus = tf.config.list_physical_devices("GPU")
    if gpus and config.devices > 1:
        raise ValueError(
            f"devices: expected 1 on a machine with GPUs, which are all used, "
            f"received {config.devices}"
        )
    if not gpus:
        cpu = tf.config.list_physical_devices("CPU")[0]
        logical = [tf.config.LogicalDeviceConfiguration()] * config.devices
        tf.config.set_logical_device_configuration(cpu, logical)
    kind = "GPU" if gpus else "CPU"
    names = [device.name for device in tf.config.list_logical_devices(kind)]
    # On the CPU: collectives break when one process builds models of different shapes.
    operations = None if gpus else tf.distribute.ReductionToOneDevice()
    return tf.distribute.MirroredStrategy(names, cross_device_ops=operations)


def _check_writable(workdir: str) -> None:
    """Refuses a workdir that cannot be written, without creating anything in it."""
    path = os.path.abspath(workdir)
    if os.path.exists(path) and not os.path.isdir(path):
        raise ValueError(f"workdir: expected a folder, received the file {path}")
    while not os.path.exists(path):
        path = os.path.dirname(path)
    if not os.access(path, os.W_OK | os.X_OK):
        raise ValueError(f"workdir: expected a folder that can be written, received {workdir}")
