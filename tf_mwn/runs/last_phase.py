"""The last phase of a run: a few epochs on the clean meta set."""

from typing import Any

import keras

from tf_mwn.data.splits.biased_data import BiasedData
from tf_mwn.methods import registry
from tf_mwn.monitoring.callbacks import EpochEvaluation, StepTimer
from tf_mwn.monitoring.progress import ProgressBar
from tf_mwn.runs import streams
from tf_mwn.runs.epoch_state import monitors
from tf_mwn.runs.run import Run
from tf_mwn.runs.termination import Termination
from tf_mwn.training.fine_tuning import fine_tune as fine_tune_model
from tf_mwn.training.robust_model import RobustModel


def fine_tune(
    run: Run,
    model: RobustModel,
    data: BiasedData,
    history: list[dict],
    evaluation: EpochEvaluation,
    termination: Termination,
) -> dict[str, Any]:
    """Trains the last phase and appends its epochs to `history`.

    It has no checkpoint of its own: a run that is killed in it repeats it, to the same bits, from
    the checkpoint after the last epoch before it.

    Returns:
        Its entries of results.json, all None without such a phase.
    """
    method, config = registry.find(run.method), run.config
    epochs = method.fine_tuning_epochs(vars(config))
    results = dict.fromkeys(("accuracy_before_fine_tuning", "fine_tuning_kept", "held_back"))
    if not epochs:
        return results
    parts = streams.meta_parts(config, method, data, run.seed)
    first = len(history)
    unseen = parts.unseen if method.holds_back(vars(config)) else None
    progress = ProgressBar(f"{run.method} seed {run.seed}, clean set", first + epochs, first)
    callbacks = [StepTimer(), evaluation, _Record(run, history, termination), progress]
    try:
        tuned = fine_tune_model(
            model,
            streams.fine_tuning_stream(config, parts.last_phase, data, run.seed),
            len(parts.last_phase),
            streams.fine_tuning_batch(config, parts.last_phase),
            epochs,
            streams.steps_per_epoch(config, method, data),
            config.fine_tuning_rate,
            None if unseen is None else streams.evaluation_batches(config, unseen, data),
            [*callbacks, *monitors(run, evaluation, data, first + epochs)],
            first_epoch=first,
            verbose=0,
        )
    finally:
        progress.close()
    return {
        "accuracy_before_fine_tuning": history[first - 1]["test_accuracy"],
        "fine_tuning_kept": tuned.kept,
        "held_back": tuned.held_back,
    }


class _Record(keras.callbacks.Callback):
    """Appends each epoch to the history and to metrics.csv; ends after a step if asked to."""

    def __init__(self, run: Run, history: list[dict], termination: Termination):
        super().__init__()
        self._run, self._history, self._termination = run, history, termination

    def on_train_batch_end(self, batch, logs=None):
        self._termination.check()

    def on_epoch_end(self, epoch, logs=None):
        self._history.append({"epoch": epoch + 1, **logs})
        self._run.write_metrics(self._history)
