"""A run that has ended: its data, prepared again, and the classifier it trained."""

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_mwn import networks
from tf_mwn.data.sources.loading import load
from tf_mwn.data.splits.biased_data import BiasedData, prepare
from tf_mwn.data.subset import Subset
from tf_mwn.methods import registry
from tf_mwn.monitoring.predictions import classifier_logits
from tf_mwn.runs import build
from tf_mwn.runs.noise_model import PROBABILITIES, needs_noise_model
from tf_mwn.runs.run_folder import RunFolder
from tf_mwn.runs.train import RESULTS
from tf_mwn.settings.config import Config


@dataclasses.dataclass(frozen=True)
class FinishedRun:
    """What a run folder holds, and what it was made from.

    Attributes:
        folder: the run's folder.
        recipe, method, seed: what was run.
        config: its settings.
        data: its splits, the same examples and labels as in training.
        classifier: the trained classifier, which takes preprocessed inputs.
        preprocess: function of a batch of the data's inputs, as in training.
    """

    folder: RunFolder
    recipe: str
    method: str
    seed: int
    config: Config
    data: BiasedData
    classifier: keras.Model
    preprocess: Callable[[tf.Tensor], tf.Tensor]

    @classmethod
    def load(
        cls,
        path: str | Path,
        data_dir: str | None = None,
        download: bool = False,
        cache_dir: str | None = None,
    ) -> "FinishedRun":
        """Loads the run of a folder `workdir/<experiment>/<method>/seed<k>/`.

        Args:
            path: the folder.
            data_dir, download, cache_dir: as in training; see `tf_mwn.data.sources.loading.load`.

        Raises:
            ValueError, TypeError, OSError: no finished run there, data that is not at hand, or
                data that is no longer what the run was trained on.
        """
        folder = RunFolder(path)
        identity = read_identity(folder)
        config = Config(**identity["settings"])
        data = _data(folder, config, identity["seed"], data_dir, download, cache_dir)
        if data.card["fingerprint"] != identity["data"]:
            raise ValueError(
                f"run: expected the data that {path} was trained on (fingerprint "
                f"{identity['data'][:16]}), received other data ({data.card['fingerprint'][:16]})"
            )
        return cls(
            folder,
            *(identity[name] for name in ("recipe", "method", "seed")),
            config,
            data,
            _classifier(folder, identity["method"], config, data),
            build.preprocessing(config, data),
        )

    def logits(self, part: Subset) -> np.ndarray:
        """The classifier's logits [N, C] of a part of the data."""
        return classifier_logits(self.classifier, part.x, part.label, preprocess=self.preprocess)


def read_identity(folder: RunFolder) -> dict[str, Any]:
    """The content of config.json of a run that has ended.

    Raises:
        ValueError: there is no such run, or it has not ended.
    """
    identity = folder.read_json("config.json")
    if identity is None:
        raise ValueError(
            "run: expected the folder of a run, workdir/<recipe>/<method>/seed<k>, "
            f"received {folder.path}, which holds no config.json"
        )
    if folder.read_json(RESULTS) is None:
        raise ValueError(
            f"run: expected a run that has ended, received {folder.path} without {RESULTS}; "
            "the command that started it goes on with it"
        )
    return identity


def _data(folder, config, seed, data_dir, download, cache_dir) -> BiasedData:
    source = build.load_source(config, data_dir, download, cache_dir)
    open_set = None
    if config.open_set is not None:
        open_set = load(config.open_set, data_dir, download, cache_dir=cache_dir)
    if needs_noise_model(config):
        # All methods of a seed share the probabilities of one model, trained before them.
        path = folder.path.parent.parent / "noise_model" / f"seed{seed}" / PROBABILITIES
        if not os.path.isfile(path):
            raise ValueError(f"run: expected its noise's probabilities in {path}, received none")
        config = dataclasses.replace(config, noise_probabilities=str(path))
    return prepare(source, config, seed, open_set)


def _classifier(folder: RunFolder, method: str, config: Config, data: BiasedData) -> keras.Model:
    path = folder / "classifier.keras"
    if not path.is_file():
        raise ValueError(f"run: expected {path}, received a run without it")
    if ":" not in config.network:
        return keras.models.load_model(path, compile=False)
    # The user's own network may hold classes that Keras cannot find by name.
    shape = data.train.x.shape[1:]
    classifier = networks.build(config.network, shape, data.num_classes, None)
    row = registry.find(method)
    if row.remakes_classifier:
        classifier = registry.build(row, classifier, vars(config)).classifier
    classifier.load_weights(path)
    return classifier
