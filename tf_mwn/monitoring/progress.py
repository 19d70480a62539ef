"""A progress bar for each run, or a few lines if the output is not a terminal."""

import logging
import sys
import time

import keras
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column

from tf_mwn.messages import duration, logger, report_time

_SHOWN = (("loss", "loss"), ("meta_loss", "meta"), ("test_accuracy", "test"))
_LONG = 60.0  # seconds; less time that is left is not worth a word


class ProgressBar(keras.callbacks.Callback):
    """Shows the steps, the newest measures and the time left.

    Without a bar, every epoch is a message of `tf_mwn.messages`; few of them have the level INFO,
    and the first one if it foresees a long run.

    Args:
        title: name of the run.
        epochs: number of all epochs.
        first_epoch: number of epochs that have finished before.
        lines: approximate number of messages of level INFO.
    """

    def __init__(self, title: str, epochs: int, first_epoch: int = 0, lines: int = 6):
        super().__init__()
        self._title, self._epochs, self._first = title, epochs, first_epoch
        self._every = max(1, epochs // lines)
        self._bar, self._task = None, None
        self._start: float | None = None
        self._traced: float | None = None  # when the first step had ended
        self._steps = 0  # since then

    def on_train_begin(self, logs=None):
        # rich is not asked: environment variables can make it take a pipe for a terminal.
        if not sys.stdout.isatty() or not logger.isEnabledFor(logging.INFO):
            return
        console = Console(highlight=False)
        # Together 80 columns: the title gives way first.
        title = Column(no_wrap=True, overflow="ellipsis", ratio=1)
        columns = [TextColumn("{task.description}", table_column=title), BarColumn(6)]
        columns += [MofNCompleteColumn(), TimeRemainingColumn(compact=True)]
        columns += [TextColumn("{task.fields[measures]}", table_column=Column(no_wrap=True))]
        self._bar = Progress(*columns, console=console, expand=True)
        total = self._epochs * self.params["steps"]
        done = self._first * self.params["steps"]
        self._task = self._bar.add_task(self._title, total=total, completed=done, measures="")
        self._bar.start()

    def on_train_batch_begin(self, batch, logs=None):
        if self._traced is None:
            self._start = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        if self._traced is None:
            self._traced = time.perf_counter()
            report_time(f"{self._title}  first step, traced", self._traced - self._start)
        else:
            self._steps += 1
        if self._bar is not None:
            self._bar.advance(self._task)

    def on_epoch_end(self, epoch, logs=None):
        measures = "  ".join(f"{name} {logs[key]:.3f}" for key, name in _SHOWN if key in logs)
        if self._bar is not None:
            self._bar.update(self._task, measures=measures)
            return
        left = self._seconds_left(epoch)
        is_shown = (epoch + 1) % self._every == 0 or epoch + 1 == self._epochs
        if left >= _LONG:
            is_shown = is_shown or epoch == self._first
            measures += f"  about {duration(left)} left"
        number = f"{epoch + 1:{len(str(self._epochs))}}/{self._epochs}"
        level = logging.INFO if is_shown else logging.DEBUG
        logger.log(level, "%s  epoch %s  %s", self._title, number, measures)

    def _seconds_left(self, epoch: int) -> float:
        """By the steps after the traced one, and by what happened between epochs.

        0 if that is not known: after one step, or where `fit` only ends an epoch begun before.
        """
        if not self._steps or self.params["epochs"] != self._epochs:
            return 0.0
        left = (self._epochs - epoch - 1) * self.params["steps"]
        return left * (time.perf_counter() - self._traced) / self._steps

    def close(self) -> None:
        """Removes the bar. Call it after an exception too."""
        if self._bar is not None:
            self._bar.stop()
