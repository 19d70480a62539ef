"""Trains one run, from wherever it stopped to its results."""

import contextlib
import dataclasses
import os
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import tf_mwn
from tf_mwn.data.splits.biased_data import BiasedData
from tf_mwn.label_noise.measures import noise_auc
from tf_mwn.methods import registry
from tf_mwn.monitoring import figures
from tf_mwn.monitoring.callbacks import (
    READING_PREFIX,
    EpochEvaluation,
    StepTimer,
    StopOnNonFiniteLoss,
    trajectories_of,
    wrong_labels,
)
from tf_mwn.monitoring.predictions import Predictor
from tf_mwn.monitoring.progress import ProgressBar
from tf_mwn.monitoring.tensorboard import curve_of
from tf_mwn.runs import build, checkpoint, datasets, streams
from tf_mwn.runs.data_failure import data_failures
from tf_mwn.runs.devices import Workers
from tf_mwn.runs.epoch_state import EpochRecord, ResumedEpoch, StopWhenAsked, monitors
from tf_mwn.runs.last_phase import fine_tune
from tf_mwn.runs.run import CLASSIFIER, Run
from tf_mwn.runs.termination import Termination
from tf_mwn.training.robust_model import RobustModel


def train(run: Run, data: BiasedData, strategy: tf.distribute.Strategy) -> dict[str, Any]:
    """Trains `run` to its end, from its checkpoint if there is one. Keeps a finished run as it is.

    Returns:
        The content of results.json.

    Raises:
        FolderConflictError: the folder belongs to another configuration, another process trains in
            it, or no checkpoint is intact.
        NonFiniteLossError, DataFailedError, OSError: training cannot continue; the last checkpoint
            is kept.
        LostWorkerError: another worker is lost; the last checkpoint is kept.
        Terminated: SIGTERM was received; the state is in the folder.
    """
    workers = Workers(strategy)
    with workers.losses(), contextlib.ExitStack() as stack:
        with workers.chief_first():
            if run.results is None:
                stack.enter_context(run.folder.locked())
            run.claim(data.card["fingerprint"])
        results = run.results
        # Otherwise a worker could start its next run while another one trains this run.
        workers.check_same(results["epochs"] if results else 0, run.path)
        results = results or _train(run, data, strategy, workers)
        workers.wait()  # until the chief has written its last file, which all may read
        return results


def _train(run: Run, data: BiasedData, strategy: tf.distribute.Strategy, workers: Workers):
    sample_id, data = data.train.sample_id, datasets.with_small_ids(data)
    with Termination(workers.any) as termination, data_failures():
        with workers.chief_first():
            checkpoint.recover(run.folder)
        model, predictor, history = _build(run, data, strategy)
        workers.check_same(len(history), run.path)
        run.folder.write_json("data_card.json", data.card)
        run.folder.write_text("flags.txt", run.flags)
        unseen = streams.meta_parts(run.config, registry.find(run.method), data, run.seed).unseen
        evaluation = EpochEvaluation(data, predictor, unseen, run.seed)
        _fit(run, model, data, history, evaluation, termination)
        termination.check()
        tuned = fine_tune(run, model, data, history, evaluation, termination)
        termination.check()
        results = _finish(run, model, data, sample_id, history, predictor) | tuned
        results |= dataclasses.asdict(evaluation.examine())
        run.write_results(results)
        checkpoint.remove_spare(run.folder)
        return results


def trained_probabilities(
    run: Run, data: BiasedData, strategy: tf.distribute.Strategy, x
) -> np.ndarray:
    """Trains `run` to its end; returns its class probabilities [N, C] for inputs `x` [N, ...]."""
    train(run, data, strategy)
    logits = _build(run, datasets.with_small_ids(data), strategy)[1].logits(x)
    return tf.nn.softmax(logits).numpy()


def _build(run: Run, data: BiasedData, strategy: tf.distribute.Strategy):
    """The model as in its checkpoint, its predictor, and the history of its epochs."""
    keras.utils.clear_session()
    keras.config.set_dtype_policy(run.config.precision)
    method = registry.find(run.method)
    steps = streams.steps_per_epoch(run.config, method, data)
    with strategy.scope():
        model = build.build_model(run.config, method, data, run.seed, steps)
        history = checkpoint.restore(run.folder, model)
    return model, Predictor(model, streams.preprocessing(run.config, data)), history


def _fit(run, model, data, history, evaluation, termination) -> None:
    """Trains the epochs that `history` lacks, and appends them to it."""
    first, epochs = len(history), _all_epochs(run, model)
    part = checkpoint.find_part(run.folder, first)
    if part is not None:
        _fit_epochs(run, model, data, history, evaluation, termination, first + 1, part)
    if len(history) < epochs:
        _fit_epochs(run, model, data, history, evaluation, termination, epochs)


def _all_epochs(run: Run, model: RobustModel) -> int:
    return model.num_epochs or run.config.epochs


def _fit_epochs(run, model, data, history, evaluation, termination, epochs, part=None) -> None:
    """Trains until `epochs` epochs have finished. `part` is the state of the first of them."""
    first, step = len(history), 0 if part is None else part.step
    method = registry.find(run.method)
    every = _all_epochs(run, model)
    progress = ProgressBar(f"{run.method} seed {run.seed}", every, first)
    callbacks = [
        StopOnNonFiniteLoss(run.method, step),
        StepTimer(),
        evaluation,
        EpochRecord(run, history),
        progress,
        StopWhenAsked(run.folder, termination, step),
    ]
    after = callbacks.index(evaluation) + 1
    callbacks[after:after] = monitors(run, evaluation, data, every)
    try:
        model.fit(
            streams.build_stream(run.config, method, data, run.seed, first, step),
            epochs=epochs,
            initial_epoch=first,
            steps_per_epoch=streams.steps_per_epoch(run.config, method, data) - step,
            verbose=0,
            shuffle=False,
            callbacks=[*([] if part is None else [ResumedEpoch(part)]), *callbacks],
        )
    finally:
        progress.close()


def _finish(run, model, data, sample_id, history, predictor) -> dict[str, Any]:
    """Writes weights, figures and the classifier; returns the results."""
    run.write_metrics(history)  # the process may have been killed after the last checkpoint
    logits = predictor.logits(data.train.x)
    losses, weights = predictor.losses_and_weights(logits, data.train.label, data.train.sample_id)
    path = data.train.path
    run.write_weights(
        {
            "sample_id": sample_id,
            "label": data.train.label,
            "loss": losses,
            "weight": weights,
            "clean_label": data.train.clean_label,
            "class_name": [data.card["class_names"][label] for label in data.train.label],
            "path": None if path is None else list(map(os.fsdecode, path.tolist())),
        }
    )
    is_wrong = wrong_labels(data.train)
    _write_figures(run, model, losses, weights, is_wrong, history)
    with run.folder.replacing(CLASSIFIER) as path:
        model.predicting_classifier.save(path)
    for name, write in model.artifacts().items():
        with run.folder.replacing(name) as path:
            write(path)
    results = _results(run, history)
    if weights is not None and is_wrong is not None:
        results["noise_auc"] = noise_auc(weights, is_wrong)
    return results


def _write_figures(run: Run, model: RobustModel, losses, weights, is_wrong, history) -> None:
    title = f"{run.method}, {run.experiment}, seed {run.seed}"
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
        # An older version did not measure it in the epochs before.
        "last_epoch_balanced_accuracy": history[-1].get("test_balanced_accuracy"),
        "validation_selected_accuracy": selected,
        "memorised": history[-1].get("memorised"),
        "noise_auc": None,
        "weight_spread": history[-1].get("weight_spread"),
        "effective_fraction": history[-1].get("effective_fraction"),
        "seconds_per_step": float(np.median([record["seconds_per_step"] for record in history])),
        "epochs": len(history),
        "version": tf_mwn.__version__,
        **_readings(history),
    }


def _readings(history: list[dict]) -> dict[str, float]:
    """The accuracies at the last and the best epoch by each other reading of the logits."""
    results = {}
    for name in history[-1]:
        if name.startswith(READING_PREFIX):
            accuracies = [record[name] for record in history if name in record]
            reading = name.removeprefix(READING_PREFIX)
            results[f"last_epoch_accuracy_{reading}"] = accuracies[-1]
            results[f"best_epoch_accuracy_{reading}"] = max(accuracies)
    return results
