"""SIGTERM, which schedulers send some time before they kill: the step is finished first."""

import signal
import threading
from collections.abc import Callable


class Terminated(KeyboardInterrupt):
    """The process was asked to end. The state of its run is on the disk."""

    def __init__(self):
        super().__init__("stopped by SIGTERM; the same command continues where it stopped")


class Termination:
    """Records SIGTERM within a `with` block, instead of ending the process at once.

    Call `check` wherever the block may stop. It is called at the end of the block.

    Args:
        agree: maps whether this process has received SIGTERM to whether any process that trains
            with it has. All of them call `heard` and `check` at the same places.

    Attributes:
        requested: whether SIGTERM has been received.
    """

    def __init__(self, agree: Callable[[bool], bool] = bool):
        self._agree = agree
        self.requested = False
        self._before = None

    def __enter__(self):
        if (
            threading.current_thread() is threading.main_thread()
        ):  # other threads cannot set a handler
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
        """Whether any of the processes that train together has received SIGTERM."""
        agreed = self._agree(self.requested)
        if agreed:  # if not, SIGTERM may have come since, and the others do not know
            self.requested = True
        return agreed

    def check(self) -> None:
        """Raises `Terminated` if `heard`."""
        if self.heard():
            raise Terminated
