"""Memory of a training step, measured in a new process. Does not import TensorFlow."""

import concurrent.futures
import multiprocessing
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from tf_mwn.benchmark.plan import Case, Images, StepError
from tf_mwn.messages import quiet_start

_CYCLES = 3
_PROCESS = Path("/proc/self")


def megabytes(case: Case, images: Images) -> float:
    """Largest resident set over some steps, above that of the built model, in megabytes.

    Building the steps is included.

    Raises:
        OSError: the system is not Linux.
        StepError: the step cannot be built, or the process is killed.
    """
    if not _PROCESS.exists():
        raise OSError("memory: expected a Linux, which tells a process its resident set")
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        try:
            return pool.submit(_measure, case, images).result()
        except BrokenProcessPool as error:
            raise StepError(
                f"{case.full_name}: the process was killed; is there memory enough?"
            ) from error


def _measure(case: Case, images: Images) -> float:
    with quiet_start():
        from tf_mwn.benchmark.step import step_of
        from tf_mwn.runs.devices import strategies

        strategy = strategies([case.config.devices])[case.config.devices]
    step = step_of(case, images, strategy)
    before = _kilobytes("VmRSS")
    (_PROCESS / "clear_refs").write_text("5")  # the peak counts from here
    step.trace()
    for _ in range(_CYCLES):
        step.seconds()
    return (_kilobytes("VmHWM") - before) / 1024


def _kilobytes(name: str) -> int:
    lines = (_PROCESS / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
