"""What a finished run leaves to others: the classifier, free of tf_mwn, and the weight net."""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np

from tf_mwn import networks
from tf_mwn.methods import registry
from tf_mwn.methods.meta_weight_net.weight_net import WeightNet
from tf_mwn.methods.meta_weight_net.weight_net_file import save_weight_net
from tf_mwn.runs import build, checkpoint
from tf_mwn.runs.finished_run import FinishedRun


def export(run: FinishedRun, folder: str | Path) -> list[Path]:
    """Writes the classifier as `classifier.keras` and `saved_model/`, and what belongs to it.

    Both take inputs as they are in the data set: they standardise for themselves, and return
    logits [B, C]. `classes.json` has the C names. Methods with a weight net add
    `weight_net.json`, see `tf_mwn.load_weight_net`.

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
    written[2].write_text(json.dumps(run.data.card["class_names"]) + "\n")
    weight_net = run_weight_net(run)
    if weight_net is not None:
        written.append(folder / "weight_net.json")
        save_weight_net(weight_net, written[-1])
    return written


def with_preprocessing(run: FinishedRun) -> keras.Model:
    """The run's classifier with its preprocessing in front, of Keras layers alone."""
    shape = run.data.train.x.shape[1:]
    layers = [keras.Input(shape, name="inputs")]
    if not networks.takes_pixels(run.config.network, run.config.network_weights):
        # As `standardise`; its axis is the last, of channels or features.
        mean, std = (np.asarray(value, np.float64) for value in (run.data.mean, run.data.std))
        size = shape[-1]
        mean, variance = np.broadcast_to(mean, [size]), np.broadcast_to(std**2, [size])
        layers.append(
            keras.layers.Normalization(
                axis=-1, mean=mean, variance=variance, name="standardise", dtype="float32"
            )
        )
    return keras.Sequential([*layers, run.classifier], name="classifier")


def run_weight_net(run: FinishedRun) -> WeightNet | None:
    """The weight net as the run's checkpoint has it; None for methods without one.

    Raises:
        ValueError: the checkpoint is missing, damaged, or of another model.
    """
    row = registry.find(run.method)
    if "weight_net_units" not in row.reads:
        return None
    steps = build.steps_per_epoch(run.config, row, run.data)
    model = build.build_model(run.config, row, run.data, run.seed, steps)
    if not isinstance(model.training_objective, WeightNet):
        return None
    if not checkpoint.restore(run.folder, model):
        path = run.folder / checkpoint.CHECKPOINT
        raise ValueError(f"run: expected {path}, received a run without it")
    return model.training_objective


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keras announces every exported signature on stdout, whatever `verbose` says."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        yield
