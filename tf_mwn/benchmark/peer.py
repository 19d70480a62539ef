"""A training step of somebody else's code, timed beside those of this package.

Does not import TensorFlow.
"""

import dataclasses
import shlex
import shutil
import subprocess
import time

from tf_mwn.benchmark.plan import StepError


@dataclasses.dataclass(frozen=True)
class PeerCase:
    """An external command as a row of a benchmark.

    Attributes:
        command: as in a shell; it is not run by one.
    """

    command: str

    def __post_init__(self) -> None:
        """Refuses what is no command before anything is measured."""
        try:
            program = shlex.split(self.command)[:1]
        except ValueError as error:
            raise ValueError(
                f"peer: expected a command, received {self.command!r} ({error})"
            ) from error
        if not program or shutil.which(program[0]) is None:
            raise ValueError(f"peer: expected a command, received {self.command!r}")

    @property
    def name(self) -> str:
        return f"peer: {self.command}"

    @property
    def settings(self) -> dict[str, None]:
        """None: its settings are its own."""
        return {}

    @property
    def method(self) -> str:
        return self.name


class Peer:
    """A process that answers each line "steps N" with a line: the milliseconds of N steps.

    It must use no processor time between an answer and the next line. What it prints to stderr is
    shown.

    Args:
        case: the command.

    Attributes:
        tracing_seconds: time of its start and first step; 0 before `trace`.

    Raises:
        StepError: there is no such command.
    """

    def __init__(self, case: PeerCase):
        self.case, self.tracing_seconds = case, 0.0
        try:
            self._process = subprocess.Popen(
                shlex.split(case.command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                bufsize=1,
            )
        except (OSError, ValueError) as error:
            raise StepError(f"{case.name}: {error}") from error

    def trace(self) -> None:
        """Waits for the first step."""
        started = time.perf_counter()
        self.seconds()
        self.tracing_seconds = time.perf_counter() - started

    def seconds(self) -> float:
        """The time of one step, as the process measures it.

        Raises:
            StepError: it has ended, or its answer is not a number above 0.
        """
        try:
            self._process.stdin.write("steps 1\n")
            answer = self._process.stdout.readline()
        except OSError:
            answer = ""
        if not answer:
            code = self._process.wait()
            raise StepError(f"{self.case.name}: the process ended with code {code}")
        try:
            milliseconds = float(answer)
        except ValueError:
            milliseconds = 0.0
        if not 0 < milliseconds < float("inf"):
            raise StepError(
                f"{self.case.name}: expected the milliseconds of a step, "
                f"received {answer.strip()!r}"
            )
        return milliseconds / 1000

    def close(self) -> None:
        """Ends the process, which sees the end of its input first."""
        self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
