"""A finished run with its data, which are prepared again, and its trained classifier."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tf_mwn import networks
from tf_mwn.data.sources.location import DEFAULT_LOCATION, DataLocation
from tf_mwn.data.splits.biased_data import BiasedData, prepare
from tf_mwn.data.subset import Subset
from tf_mwn.methods import registry
from tf_mwn.monitoring.predictions import classifier_logits
from tf_mwn.runs import build, datasets, streams
from tf_mwn.runs.noise_model import NOISE_MODEL, needs_noise_model, with_probabilities
from tf_mwn.runs.run import CLASSIFIER, Run
from tf_mwn.settings.config import Config


@dataclasses.dataclass(frozen=True)
class FinishedRun(Run):
    """A finished run in memory.

    Attributes:
        data: its splits, with the same examples and labels as in training.
        classifier: the trained classifier, which takes preprocessed inputs.
        preprocess: preprocessing of a batch of inputs, as in training.
    """

    data: BiasedData
    classifier: keras.Model
    preprocess: Callable[[tf.Tensor], tf.Tensor]

    @classmethod
    def load(cls, path: str | Path, location: DataLocation = DEFAULT_LOCATION) -> "FinishedRun":
        """Loads the run of a folder `workdir/<experiment>/<method>/seed<k>/`.

        Args:
            path: the folder.
            location: where the data come from, as in training.

        Raises:
            ValueError, TypeError, OSError: the folder holds no finished run, or the data are
                missing or differ from those that the run was trained on.
        """
        run = Run.finished(path)
        data = _data(run, location)
        trained_on, received = run.recorded["data"], data.card["fingerprint"]
        if received != trained_on:
            raise ValueError(
                f"run: expected the data that {path} was trained on (fingerprint "
                f"{trained_on[:16]}), received other data ({received[:16]})"
            )
        classifier = _classifier(run, datasets.with_small_ids(data))
        preprocess = streams.preprocessing(run.config, data)
        return cls(**vars(run), data=data, classifier=classifier, preprocess=preprocess)

    def logits(self, part: Subset) -> np.ndarray:
        """The classifier's logits [N, C] of a part of the data."""
        return classifier_logits(self.classifier, part.x, part.label, preprocess=self.preprocess)


def _data(run: Run, location: DataLocation) -> BiasedData:
    config = run.config
    source, open_set = datasets.load_sources(config, location)
    if needs_noise_model(config):
        # All methods of a seed share one model, which was trained before them.
        config = with_probabilities(config, run.beside(NOISE_MODEL))
    return prepare(source, config, run.seed, open_set)


def _classifier(run: Run, data: BiasedData) -> keras.Model:
    path, config = run.folder / CLASSIFIER, run.config
    if not path.is_file():
        raise ValueError(f"run: expected {path}, received a run without it")
    try:
        return _loaded(run, config, data, path)
    except Exception as error:  # Keras, h5py and zipfile raise anything for a damaged file
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ValueError(
            f"run: expected the classifier of the run in {path}, received {reason}"
        ) from error


def _loaded(run: Run, config: Config, data: BiasedData, path: Path) -> keras.Model:
    if ":" not in config.network:
        return keras.models.load_model(path, compile=False)
    # A network of the user's own may contain classes that Keras cannot find by name.
    shape = data.train.x.shape[1:]
    classifier = networks.build(config.network, shape, data.num_classes, None)
    method = registry.find(run.method)
    if method.remakes_classifier:
        facts = build.training_facts(config, data, run.seed, steps_per_epoch=1)
        model = registry.build(method, classifier, vars(config), facts)
        classifier = model.predicting_classifier
    classifier.load_weights(path)
    return classifier
