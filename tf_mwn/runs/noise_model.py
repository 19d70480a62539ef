"""The model behind feature-dependent noise, which is trained if no file is given."""

import dataclasses
from pathlib import Path

import numpy as np
import tensorflow as tf

from tf_mwn.data.bias.noise import FEATURE_KINDS
from tf_mwn.data.splits.biased_data import BiasedData
from tf_mwn.data.subset import Source
from tf_mwn.messages import logger
from tf_mwn.runs.run import Run
from tf_mwn.runs.train import trained_probabilities
from tf_mwn.settings.config import Config

NOISE_MODEL = "noise_model"  # its folder, beside those of the methods
_PROBABILITIES = "probabilities.npz"


def needs_noise_model(config: Config) -> bool:
    """Whether the noise follows class probabilities, and no file of them is given."""
    return config.noise in FEATURE_KINDS and config.noise_probabilities is None


def without_noise(config: Config) -> Config:
    """The same configuration with clean labels and plain training, for the noise model."""
    return dataclasses.replace(
        config,
        noise="none",
        noise_rate=0.0,
        noise_factor=None,
        noise_sampling="expected",
        logit_adjustment=None,
        fine_tuning_epochs=None,
    )


def with_probabilities(config: Config, folder: Path) -> Config:
    """The same configuration with the probabilities of the noise model in `folder`.

    Raises:
        ValueError: the probabilities are missing.
    """
    path = folder / _PROBABILITIES
    if not path.is_file():
        raise ValueError(f"run: expected its noise's probabilities in {path}, received none")
    return dataclasses.replace(config, noise_probabilities=str(path))


def write_probabilities(
    run: Run, data: BiasedData, source: Source, strategy: tf.distribute.Strategy
) -> None:
    """Trains `run` on clean labels and writes its probabilities on the source's training set.

    The file `probabilities.npz` holds `sample_id` and `probability`. An existing file is kept.
    """
    path = run.folder / _PROBABILITIES
    if not path.exists():
        logger.info(
            "training a model, whose class probabilities the noise will follow: %s", run.folder.path
        )
        probability = trained_probabilities(run, data, strategy, source.x)
        with run.folder.replacing(_PROBABILITIES) as temporary:
            np.savez(temporary, sample_id=source.sample_id, probability=probability)
