"""SIGTERM, which schedulers send some time before they kill: finish the step, and stop."""

import signal
import threading
from collections.abc import Callable


class Terminated(KeyboardInterrupt):
    """The process was asked to end; the state of its run is on the disk."""

    def __init__(self):
        super().__init__("stopped by SIGTERM; the same command goes on where it stopped")


class Termination:
    """Takes note of SIGTERM within a `with` block, which it would else end at once.

    Whoever is at a good place to stop calls `check`; the end of the block is one.

    Args:
        agree: makes what processes that train together were told known to all; each calls `heard`
            and `check` at the same places.

    Attributes:
        requested: whether SIGTERM has come.
    """

    def __init__(self, agree: Callable[[bool], bool] = bool):
        self._agree = agree
        self.requested = False
        self._before = None

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():  # others may set no handler
            self._before = signal.signal(signal.SIGTERM, self._note)
        return self

    def __exit__(self, kind, error, traceback):
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)
        if kind is None:
            self.check()

    def _note(self, number, frame) -> None:
        self.requested = True

    def heard(self) -> bool:
        """Whether SIGTERM has come to any of the processes that train together."""
        agreed = self._agree(self.requested)
        if agreed:  # else SIGTERM may have come since, which the others do not know
            self.requested = True
        return agreed

    def check(self) -> None:
        """Raises `Terminated` if SIGTERM has come."""
        if self.heard():
            raise Terminated
