"""Callbacks that keep the state of a run and bring it back; what they write is in `checkpoint`."""

import keras

from tf_mwn.files import Folder
from tf_mwn.runs import checkpoint
from tf_mwn.runs.run import Run
from tf_mwn.runs.termination import Termination


class EpochRecord(keras.callbacks.Callback):
    """Appends the epoch to the history, then writes the checkpoint and metrics.csv."""

    def __init__(self, run: Run, history: list[dict]):
        super().__init__()
        self._run, self._history = run, history

    def on_epoch_end(self, epoch, logs=None):
        self._history.append({"epoch": epoch + 1, **logs})
        checkpoint.save(self._run.folder, self.model, self._history)
        self._run.write_metrics(self._history)


class ResumedEpoch(keras.callbacks.Callback):
    """Brings an epoch, once it has begun, to where it was left."""

    def __init__(self, part: checkpoint.EpochPart):
        super().__init__()
        self._part = part

    def on_epoch_begin(self, epoch, logs=None):
        self._part.restore_variables(self.model)

    def on_train_batch_end(self, batch, logs=None):
        if batch == 0:
            self._part.add_metrics(self.model)


class StopWhenAsked(keras.callbacks.Callback):
    """Ends training after the step in which SIGTERM came, and keeps the part of the epoch."""

    def __init__(self, folder: Folder, termination: Termination, start_step: int):
        super().__init__()
        self._folder, self._termination, self._start_step = folder, termination, start_step
        self._epoch = 0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        # The last step's epoch is left to end: its checkpoint is all that there is to keep.
        if batch + 1 < self.params["steps"] and self._termination.heard():
            done = self._start_step + batch + 1
            checkpoint.save_part(self._folder, self.model, self._epoch, done)
            self._termination.check()

    def on_epoch_end(self, epoch, logs=None):
        self._termination.check()
