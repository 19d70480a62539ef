"""Exports a finished run: its classifier, independent of tf_mwn, and its weight net."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np

from tf_mwn import networks
from tf_mwn.files import write_json
from tf_mwn.runs.finished_run import FinishedRun

WEIGHT_NET = "weight_net.json"


def export(run: FinishedRun, folder: str | Path) -> list[Path]:
    """Writes the classifier as `classifier.keras` and `saved_model/`, and its files.

    Both forms take inputs as they are in the data set, standardise them, and return logits [B, C].
    `classes.json` holds the C class names. If the run has learned a weight net, its
    `weight_net.json` is copied; see `tf_mwn.load_weight_net`.

    Returns:
        The paths written.

    Raises:
        ValueError, OSError: the folder cannot be written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    classifier = with_preprocessing(run)
    written = [folder / "classifier.keras", folder / "saved_model", folder / "classes.json"]
    classifier.save(written[0])
    with _quiet():
        classifier.export(written[1], verbose=False)
    write_json(written[2], run.data.card["class_names"])
    weight_net = run.folder / WEIGHT_NET
    if weight_net.exists():
        written.append(folder / WEIGHT_NET)
        shutil.copyfile(weight_net, written[-1])
    return written


def with_preprocessing(run: FinishedRun) -> keras.Model:
    """The run's preprocessing followed by its classifier, built of Keras layers only."""
    shape = run.data.train.x.shape[1:]
    layers = [keras.Input(shape, name="inputs")]
    if not networks.takes_pixels(run.config.network, run.config.network_weights):
        # As `standardise`. The axis is the last one, of channels or features.
        mean, std = (np.asarray(value, np.float64) for value in (run.data.mean, run.data.std))
        size = shape[-1]
        mean, variance = np.broadcast_to(mean, [size]), np.broadcast_to(std**2, [size])
        layers.append(
            keras.layers.Normalization(
                axis=-1, mean=mean, variance=variance, name="standardise", dtype="float32"
            )
        )
    return keras.Sequential([*layers, run.classifier], name="classifier")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Discards stdout: Keras prints every exported signature, whatever `verbose` is."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        yield
