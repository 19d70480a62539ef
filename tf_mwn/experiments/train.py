"""One run: a method and a seed on a configuration, from wherever it stopped to its results."""

import dataclasses
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import tf_mwn
from tf_mwn.data.bias import BiasedData
from tf_mwn.experiments import build, checkpoint
from tf_mwn.experiments.config import Config
from tf_mwn.experiments.run_folder import RunFolder
from tf_mwn.methods import registry
from tf_mwn.methods.robust_model import RobustModel
from tf_mwn.monitoring import figures
from tf_mwn.monitoring.callbacks import (
    EpochEvaluation,
    StepTimer,
    StopOnNonFiniteLoss,
    trajectories_of,
    wrong_labels,
)
from tf_mwn.monitoring.measures import noise_auc
from tf_mwn.monitoring.predictions import Predictor
from tf_mwn.monitoring.progress import ProgressBar
from tf_mwn.monitoring.tensorboard import TensorBoardMonitor, curve_of

RESULTS = "results.json"


@dataclasses.dataclass(frozen=True)
class Run:
    """What identifies one run, and where it lives."""

    recipe: str
    method: str
    seed: int
    config: Config
    folder: RunFolder
    flags: str

    def identity(self, data: BiasedData) -> dict[str, Any]:
        """All that decides a run's result; a folder holds runs of one identity only."""
        return {
            "recipe": self.recipe,
            "method": self.method,
            "seed": self.seed,
            "settings": self.config.to_json(),
            "data": data.card["fingerprint"],
        }


def finished(run: Run) -> dict[str, Any] | None:
    """The results of a run that has ended, or None."""
    return run.folder.read_json(RESULTS)


def train(run: Run, data: BiasedData, strategy: tf.distribute.Strategy) -> dict[str, Any]:
    """Trains `run` to its end, continuing from its checkpoint if there is one.

    Returns:
        The content of results.json.

    Raises:
        ValueError: the folder belongs to another configuration, or its checkpoint is damaged.
        NonFiniteLossError: the loss became NaN or infinite; the last checkpoint stays.
    """
    run.folder.claim(run.identity(data))
    results = finished(run)
    if results is not None:
        return results
    model, predictor, history = _build(run, data, strategy)
    run.folder.write_json("data_card.json", data.card)
    run.folder.write_text("flags.txt", run.flags)
    _fit(run, model, data, history, predictor)
    return _finish(run, model, data, history, predictor)


def trained_probabilities(
    run: Run, data: BiasedData, strategy: tf.distribute.Strategy, x
) -> np.ndarray:
    """Trains `run` to its end; its class probabilities [N, C] of inputs `x` [N, ...]."""
    train(run, data, strategy)
    logits = _build(run, data, strategy)[1].logits(x)
    return tf.nn.softmax(logits).numpy()


def _build(run: Run, data: BiasedData, strategy: tf.distribute.Strategy):
    """The model in the state of its checkpoint, its predictor, and its history."""
    keras.utils.clear_session()
    keras.config.set_dtype_policy(run.config.precision)
    row = registry.find(run.method)
    steps = build.steps_per_epoch(run.config, row, data)
    with strategy.scope():
        model = build.build_model(run.config, row, data, run.seed, steps)
        history = checkpoint.restore(run.folder, model)
    return model, Predictor(model, build.preprocessing(run.config, data)), history


class _EpochRecord(keras.callbacks.Callback):
    """Appends the epoch to the history, then writes the checkpoint and metrics.csv."""

    def __init__(self, folder: RunFolder, history: list[dict]):
        super().__init__()
        self._folder, self._history = folder, history

    def on_epoch_end(self, epoch, logs=None):
        self._history.append({"epoch": epoch + 1, **logs})
        checkpoint.save(self._folder, self.model, self._history)
        names = list(dict.fromkeys(name for record in self._history for name in record))
        rows = [[record.get(name) for name in names] for record in self._history]
        self._folder.write_csv("metrics.csv", names, rows)


def _fit(run, model, data, history, predictor) -> None:
    """Trains the epochs that `history` lacks, and records them in it."""
    first, epochs = len(history), model.num_epochs or run.config.epochs
    if first >= epochs:
        return
    row = registry.find(run.method)
    evaluation = EpochEvaluation(data, predictor)
    progress = ProgressBar(f"{run.method} seed {run.seed}", epochs, first)
    monitor = TensorBoardMonitor(run.folder / "tensorboard", evaluation, run.identity(data))
    try:
        model.fit(
            build.build_stream(run.config, row, data, run.seed, first),
            epochs=epochs,
            initial_epoch=first,
            steps_per_epoch=build.steps_per_epoch(run.config, row, data),
            verbose=0,
            shuffle=False,
            callbacks=[
                StopOnNonFiniteLoss(run.method),
                StepTimer(),
                evaluation,
                monitor,
                _EpochRecord(run.folder, history),
                progress,
            ],
        )
    finally:
        progress.close()


def _finish(run, model, data, history, predictor) -> dict[str, Any]:
    """Writes weights, figures and the classifier, and results.json last: it means finished."""
    logits = predictor.logits(data.train.x)
    losses, weights = predictor.losses_and_weights(logits, data.train.label, data.train.sample_id)
    _write_weights(run.folder, data, losses, weights)
    is_wrong = wrong_labels(data.train)
    _write_figures(run, model, losses, weights, is_wrong, history)
    with run.folder.replacing("classifier.keras") as path:
        model.classifier.save(path)
    results = _results(run, history)
    if weights is not None and is_wrong is not None:
        results["noise_auc"] = noise_auc(weights, is_wrong)
    run.folder.write_json(RESULTS, results)
    return results


def _write_weights(folder: RunFolder, data: BiasedData, losses, weights) -> None:
    """weights.csv; the weight is empty where the method gives none, as is an unknown label."""
    train = data.train
    nothing = [None] * len(train)
    columns = [
        train.sample_id,
        train.label,
        losses,
        nothing if weights is None else weights,
        nothing if train.clean_label is None else train.clean_label,
    ]
    header = ("sample_id", "label", "loss", "weight", "clean_label")
    folder.write_csv("weights.csv", header, zip(*columns, strict=True))


def _write_figures(run: Run, model: RobustModel, losses, weights, is_wrong, history) -> None:
    title = f"{run.method}, {run.recipe}, seed {run.seed}"
    curve = curve_of(model, largest_loss=max(10.0, float(losses.max())))
    drawn = {}
    if curve is not None:
        drawn["weight_curve.png"] = figures.weight_curve(*curve, title)
    if weights is not None:
        drawn["weight_histogram.png"] = figures.weight_histogram(weights, is_wrong, title)
    trajectories = trajectories_of(history)
    if trajectories:
        drawn["hyper_parameters.png"] = figures.trajectories(trajectories, title)
    for name, figure in drawn.items():
        with run.folder.replacing(name) as path:
            path.write_bytes(figures.png(figure))


def _results(run: Run, history: list[dict]) -> dict[str, Any]:
    accuracies = [record["test_accuracy"] for record in history]
    validation = [record.get("validation_accuracy") for record in history]
    selected = None if None in validation else accuracies[int(np.argmax(validation))]
    return {
        "recipe": run.recipe,
        "method": run.method,
        "seed": run.seed,
        "last_epoch_accuracy": accuracies[-1],
        "best_epoch_accuracy": max(accuracies),
        "validation_selected_accuracy": selected,
        "memorised": history[-1].get("memorised"),
        "noise_auc": None,
        "seconds_per_step": float(np.median([record["seconds_per_step"] for record in history])),
        "epochs": len(history),
        "version": tf_mwn.__version__,
    }
