"""Callbacks that save and restore the state of a run; see `checkpoint` for the files."""

import keras

from tf_mwn.data.splits.biased_data import BiasedData
from tf_mwn.files import Folder
from tf_mwn.monitoring.callbacks import EpochEvaluation
from tf_mwn.monitoring.tensorboard import TensorBoardMonitor
from tf_mwn.runs import checkpoint
from tf_mwn.runs.run import Run
from tf_mwn.runs.termination import Termination


class EpochRecord(keras.callbacks.Callback):
    """Appends each epoch to the history, then writes the checkpoint and metrics.csv."""

    def __init__(self, run: Run, history: list[dict]):
        super().__init__()
        self._run, self._history = run, history

    def on_epoch_end(self, epoch, logs=None):
        self._history.append({"epoch": epoch + 1, **logs})
        checkpoint.save(self._run.folder, self.model, self._history)
        self._run.write_metrics(self._history)


class ResumedEpoch(keras.callbacks.Callback):
    """Restores the state within an epoch after the epoch has begun."""

    def __init__(self, part: checkpoint.EpochPart):
        super().__init__()
        self._part = part

    def on_epoch_begin(self, epoch, logs=None):
        self._part.restore_variables(self.model)

    def on_train_batch_end(self, batch, logs=None):
        if batch == 0:
            self._part.add_metrics(self.model)


class StopWhenAsked(keras.callbacks.Callback):
    """Ends training after the step in which SIGTERM came, and saves the part of the epoch."""

    def __init__(self, folder: Folder, termination: Termination, start_step: int):
        super().__init__()
        self._folder, self._termination, self._start_step = folder, termination, start_step
        self._epoch = 0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        # After the last step the epoch may end: its checkpoint holds the whole state.
        if batch + 1 < self.params["steps"] and self._termination.heard():
            done = self._start_step + batch + 1
            checkpoint.save_part(self._folder, self.model, self._epoch, done)
            self._termination.check()

    def on_epoch_end(self, epoch, logs=None):
        self._termination.check()


def monitors(
    run: Run, evaluation: EpochEvaluation, data: BiasedData, epochs: int
) -> list[TensorBoardMonitor]:
    """TensorBoard's callback, of a run of so many epochs; none if this process writes no files."""
    if not run.folder.writes:
        return []
    identity = run.identity(data.card["fingerprint"])
    return [TensorBoardMonitor(run.path, evaluation, identity, epochs, data.card["class_names"])]
