"""Exports a finished run: its classifier, independent of tf_mwn, and its weight net."""

import contextlib
import functools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np

from tf_mwn import networks
from tf_mwn.files import CONFIG, write_json
from tf_mwn.runs.finished_run import FinishedRun

WEIGHT_NET = "weight_net.json"
_COMPARED = 100  # examples whose logits are compared
_TOLERANCE = 0.02  # relative; networks of half precision round by 0.004


def check_destination(folder: str | Path) -> None:
    """Checks, before any work, that a run can be exported there.

    Raises:
        ValueError: a file, or the folder of a run, whose classifier the export would replace.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"export: expected a folder, received the file {folder}")
    if (folder / CONFIG).exists():
        raise ValueError(f"export: expected another folder than that of a run, received {folder}")


def export(run: FinishedRun, folder: str | Path) -> list[Path]:
    """Writes the classifier as `classifier.keras` and `saved_model/`, and its files.

    Both forms take inputs as they are in the data set, standardise them, and return logits [B, C].
    `classes.json` holds the C class names. If the run has learned a weight net, its
    `weight_net.json` is copied; see `tf_mwn.load_weight_net`.

    Returns:
        The paths written.

    Raises:
        ValueError, OSError: the folder cannot be written or is that of a run, or the export answers
            another way.
    """
    check_destination(folder)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    classifier = with_preprocessing(run)
    written = [folder / "classifier.keras", folder / "saved_model", folder / "classes.json"]
    _check_same(run, classifier)
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
    stays = not np.any(run.data.mean) and np.all(run.data.std == 1)  # of tokens
    if not (stays or networks.takes_raw(run.config.network, run.config.network_weights)):
        # As `standardise`. The axis is the last one, of channels or features.
        # Not by `Normalization`, which divides by 1e-7 at least.
        mean, std = (
            np.broadcast_to(np.asarray(value, np.float64), [shape[-1]])
            for value in (run.data.mean, run.data.std)
        )
        rescaling = functools.partial(keras.layers.Rescaling, dtype="float32")
        layers.append(rescaling(1.0, offset=(-mean).tolist(), name="centre"))
        layers.append(rescaling((1 / std).tolist(), name="standardise"))
    return keras.Sequential([*layers, run.classifier], name="classifier")


def _check_same(run: FinishedRun, classifier: keras.Model) -> None:
    """Refuses an export whose logits are not those of the run."""
    few = run.data.test.rows(np.arange(min(_COMPARED, len(run.data.test))))
    wanted = run.logits(few)
    received = classifier.predict(np.asarray(few.x), verbose=0)
    furthest = float(np.abs(wanted - received).max())
    if not furthest <= _TOLERANCE * max(1.0, float(np.abs(wanted).max())):
        raise ValueError(
            f"export: expected the logits of the run, received others by up to {furthest:.3g}"
        )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Discards stdout: Keras prints every exported signature, whatever `verbose` is."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        yield
