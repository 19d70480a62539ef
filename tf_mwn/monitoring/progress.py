"""One progress bar per run, or one line now and then where there is no terminal."""

import keras
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_SHOWN = (("loss", "loss"), ("meta_loss", "meta loss"), ("test_accuracy", "test"))


class ProgressBar(keras.callbacks.Callback):
    """Shows steps, the newest measures and the time left.

    Args:
        title: what is running.
        epochs: epochs in all.
        first_epoch: epochs done before.
        lines: without a terminal, print about this many lines in all.
    """

    def __init__(self, title: str, epochs: int, first_epoch: int = 0, lines: int = 6):
        super().__init__()
        self._title, self._epochs, self._first = title, epochs, first_epoch
        self._every = max(1, epochs // lines)
        self._console = Console(highlight=False)
        self._bar, self._task = None, None

    def on_train_begin(self, logs=None):
        if not self._console.is_terminal:
            return
        columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()]
        columns += [TimeRemainingColumn(), TextColumn("{task.fields[measures]}")]
        self._bar = Progress(*columns, console=self._console)
        total = self._epochs * self.params["steps"]
        done = self._first * self.params["steps"]
        self._task = self._bar.add_task(self._title, total=total, completed=done, measures="")
        self._bar.start()

    def on_train_batch_end(self, batch, logs=None):
        if self._bar is not None:
            self._bar.advance(self._task)

    def on_epoch_end(self, epoch, logs=None):
        measures = "  ".join(f"{name} {logs[key]:.3f}" for key, name in _SHOWN if key in logs)
        if self._bar is not None:
            self._bar.update(self._task, measures=measures)
        elif (epoch + 1) % self._every == 0 or epoch + 1 == self._epochs:
            print(f"{self._title}  epoch {epoch + 1}/{self._epochs}  {measures}", flush=True)

    def close(self) -> None:
        """Ends the bar; also after an exception."""
        if self._bar is not None:
            self._bar.stop()
