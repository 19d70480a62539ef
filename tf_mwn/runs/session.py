"""All runs of one experiment, in one process."""

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf

from tf_mwn.data.sources.location import DEFAULT_LOCATION, DataLocation
from tf_mwn.data.splits.biased_data import BiasedData, prepare
from tf_mwn.data.splits.card import format_card
from tf_mwn.data.subset import Source
from tf_mwn.engine.meta_schedule import every_kth, meta_schedule
from tf_mwn.files import CONFIG, Folder, as_json, check_writable, read_json
from tf_mwn.messages import logger, long_step
from tf_mwn.methods import registry
from tf_mwn.monitoring import hparams
from tf_mwn.recipes.experiment import Experiment
from tf_mwn.runs import build, datasets, report, streams
from tf_mwn.runs.devices import Workers, check_part, check_shares
from tf_mwn.runs.noise_model import (
    NOISE_MODEL,
    needs_noise_model,
    with_probabilities,
    without_noise,
    write_probabilities,
)
from tf_mwn.runs.run import Run
from tf_mwn.runs.train import train
from tf_mwn.settings.config import Config, completed


@dataclasses.dataclass
class Session:
    """An experiment with its data loaded and every setting checked; nothing is written yet.

    Attributes:
        experiment: the experiment.
        workdir: the folder above those of the runs.
        source: the data set before any bias.
        open_set: the data set of `Config.open_set`, or None.
        strategy: the devices.
    """

    experiment: Experiment
    workdir: str
    source: Source
    open_set: Source | None
    strategy: tf.distribute.Strategy

    @property
    def workers(self) -> Workers:
        """The processes that run this session."""
        return Workers(self.strategy)

    @classmethod
    def prepare(
        cls,
        experiment: Experiment,
        strategy: tf.distribute.Strategy,
        workdir: str,
        location: DataLocation = DEFAULT_LOCATION,
    ) -> "Session":
        """Loads the data and refuses whatever would fail later.

        Raises:
            ValueError, TypeError, OSError: one sentence that says what to change.
        """
        config = experiment.config
        with long_step(f"loading {config.dataset}"):
            source, open_set = datasets.load_sources(config, location)
        session = cls(experiment, workdir, source, open_set, strategy)
        with session.workers.losses():
            session._check()
        return session

    def data(self, seed: int) -> BiasedData:
        """The splits of a seed, which all methods share.

        If the noise depends on a model that is not given, the model is trained first.
        """
        config = self.experiment.config
        if needs_noise_model(config):
            path = self.experiment.path(self.workdir, NOISE_MODEL, seed)
            clean = without_noise(config)
            run = Run("noise model", "cross_entropy", seed, clean, self.workers.folder(path))
            write_probabilities(run, prepare(self.source, clean, seed), self.source, self.strategy)
            self.workers.wait()  # for the chief's file
            config = with_probabilities(config, path)
        return prepare(self.source, config, seed, self.open_set)

    def runs(self) -> Iterator[Run]:
        """Every run, seed by seed, so that an interrupted session leaves whole comparisons."""
        for seed in self.experiment.seeds:
            for method in self.experiment.methods:
                yield Run.of(self.experiment, method, seed, self.workdir, self.workers.folder)

    def execute(self) -> list[dict[str, Any]]:
        """Trains every run that has not finished, then prints and writes the comparison.

        Returns:
            The content of results.json of each run.
        """
        results, data = [], None
        for run in self.runs():
            if data is None or data.card["seed"] != run.seed:
                data = self.data(run.seed)
                self._print_card(data.card)
            if run.results is not None:
                logger.info("%s seed %d: already finished", run.method, run.seed)
            elif run.recorded is None:
                self._tell_of_other_epochs(run)
            results.append(train(run, data, self.strategy))
            if run.folder.writes:
                settings = run.config.to_json()
                hparams.write_run(run.path, self.experiment.folder, run.method, settings)
        if self.workers.is_chief:
            self._report(results, data.card["test_labels"])
        return results

    def _tell_of_other_epochs(self, run: Run) -> None:
        """A line if the workdir holds the same run with another number of epochs."""
        wanted = {**as_json(completed(run.config.to_json())), "epochs": None}
        place = Path(run.method) / f"seed{run.seed}"
        for path in sorted(Path(self.workdir).glob(f"*/{place}")):
            with contextlib.suppress(ValueError, AttributeError, TypeError, OSError):
                found = as_json(completed((read_json(path / CONFIG))["settings"]))
                if {**found, "epochs": None} == wanted and path != run.path:
                    logger.info(
                        "%s holds the same run with --epochs=%s. A run with %s epochs starts from "
                        "the beginning, because schedules and phases depend on their number",
                        path,
                        found["epochs"],
                        run.config.epochs,
                    )

    def _print_card(self, card: dict[str, Any]) -> None:
        """Shows the data card of the first seed; for other seeds only what differs."""
        if card["seed"] == self.experiment.seeds[0]:
            logger.info("\n%s\n", format_card(card))
            return
        rate = card["noise"]["realised_rate"]
        noise = "" if rate is None else f", realised noise rate {rate:.4f}"
        logger.info("\nseed %d%s, fingerprint %s", card["seed"], noise, card["fingerprint"][:16])

    def _report(self, results: list[dict[str, Any]], test_labels: str) -> None:
        folder = Folder(Path(self.workdir) / self.experiment.folder)
        runs = list(self.runs())
        figure = report.write_accuracy_figure(folder, self.experiment.folder, runs)
        logger.info("")
        print("\n".join([report.table(results, test_labels), *report.warnings(results), ""]))
        print(f"figure       {figure}")
        for run in runs:
            print(f"run          {run.path}")
        print(f"TensorBoard  tensorboard --logdir {folder.path}", flush=True)

    def _check(self) -> None:
        config, seed = self.experiment.config, self.experiment.seeds[0]
        # The noise model is trained later. Sizes and shapes do not depend on it.
        settings = without_noise(config) if needs_noise_model(config) else config
        data = datasets.with_small_ids(prepare(self.source, settings, seed, self.open_set))
        methods = [registry.find(name) for name in self.experiment.methods]
        datasets.check_sizes(config, data, methods)
        check_shares(self.strategy, batch_size=config.batch_size)
        for method in methods:
            if method.needs_meta_set(vars(config)):
                examples = streams.meta_examples(config, method, data)
                meta_size = method.meta_batch_size(vars(config), examples)
                check_shares(self.strategy, meta_batch_size=meta_size)
        for method in methods:
            check_part(self.strategy, config.batch_size, _every(method, config))
        with self.strategy.scope():
            model = build.build_model(config, methods[0], data, seed, 1)
            facts = build.training_facts(config, data, seed, steps_per_epoch=1)
            for method in methods[1:]:
                registry.build(method, model.classifier, vars(config), facts)
        check_writable(self.workdir)


def _every(method: registry.Method, config: Config) -> int:
    """k, where the meta updates of the method learn from every k-th example of the batch."""
    if "robust_meta_fraction" in method.reads:
        return every_kth(config.robust_meta_fraction)
    names = ("speed", "meta_interval", "meta_fraction", "reuse_gradient")
    if "meta_fraction" not in method.reads:
        return 1
    return meta_schedule(*(getattr(config, name) for name in names)).every
