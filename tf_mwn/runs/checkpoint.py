"""The exact state of a run in one file. A run that was killed continues with the same bits."""

import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tf_mwn.files import Folder, FolderConflictError
from tf_mwn.training.robust_model import RobustModel

CHECKPOINT = "checkpoint.npz"  # after the newest finished epoch
_BEFORE = "checkpoint_before.npz"  # after the epoch before it
_PART = "checkpoint_part.npz"  # within the epoch that follows the newest finished one


class _DamagedError(Exception):
    """The content of a file is not what was written to it."""


def save(folder: Folder, model: RobustModel, history: list[dict]) -> None:
    """Writes every state variable and the history of finished epochs, atomically.

    The previous checkpoint is kept, in case the disk damages this one. The data stream has no
    state: it is a function of the seed, the epoch and the step.
    """
    _write(folder, CHECKPOINT, {"history": history}, v=model.state_variables())
    folder.remove(_PART)


def recover(folder: Folder) -> None:
    """Replaces a newest checkpoint that is damaged or missing by the previous one, and says so.

    Only the process that has locked the folder may call it.

    Raises:
        FolderConflictError: a checkpoint is damaged, and none is intact.
    """
    problems = []
    for name in (CHECKPOINT, _BEFORE):
        try:
            arrays = _read(folder, name)
        except _DamagedError as error:
            problems.append(f"{name} is damaged ({error})")
            continue
        if arrays is not None and name == _BEFORE:
            os.replace(folder / _BEFORE, folder / CHECKPOINT)
            problem = problems[0] if problems else f"{CHECKPOINT} is missing"
            print(f"{folder.path}: {problem}; continuing from the epoch before", flush=True)
        if arrays is not None:
            return
    if problems:
        raise FolderConflictError(
            f"{folder.path}: {' and '.join(problems)}; delete the folder to start this run again"
        )


def restore(folder: Folder, model: RobustModel) -> list[dict]:
    """Restores `model` from the checkpoint; returns the history of its finished epochs.

    Without a checkpoint the model stays as it is and the history is empty.

    Raises:
        FolderConflictError: the checkpoint is damaged, or belongs to a model of other shapes.
    """
    try:
        arrays = _read(folder, CHECKPOINT)
    except _DamagedError as error:
        raise FolderConflictError(
            f"{folder / CHECKPOINT}: the checkpoint is damaged ({error})"
        ) from error
    if arrays is None:
        return []
    values, variables = _listed(arrays, "v"), model.state_variables()
    if [v.shape for v in values] != [tuple(v.shape) for v in variables]:
        raise FolderConflictError(
            f"{folder / CHECKPOINT}: expected {len(variables)} variables as in this model, "
            f"received {len(values)} of other shapes; delete it to start this run again"
        )
    _assign(variables, values)
    return _record(arrays)["history"]


def remove_spare(folder: Folder) -> None:
    """Removes the files that a finished run does not need."""
    for name in (_BEFORE, _PART):
        folder.remove(name)


@dataclasses.dataclass(frozen=True)
class EpochPart:
    """The state within an epoch.

    Attributes:
        step: number of finished steps of the epoch; at least one step is left.
        variables: state variables of the model.
        metrics: sums and counts over the finished steps.
    """

    step: int
    variables: Sequence[np.ndarray]
    metrics: Sequence[np.ndarray]

    def restore_variables(self, model: RobustModel) -> None:
        """Restores the variables. Call it when the epoch has begun from its checkpoint.

        A method may compute state outside its variables when an epoch begins. It then computes
        that state from the same variables as the first time.
        """
        _assign(model.state_variables(), self.variables)

    def add_metrics(self, model: RobustModel) -> None:
        """Adds the metrics. Call it after one more step: Keras builds metrics in the first one."""
        variables = _metric_variables(model)
        if len(variables) != len(self.metrics):
            raise FolderConflictError(
                f"{_PART}: expected {len(variables)} numbers of metrics as in this model, received "
                f"{len(self.metrics)}; delete it to start its epoch again"
            )
        _assign(variables, [v.numpy() + m for v, m in zip(variables, self.metrics, strict=True)])


def save_part(folder: Folder, model: RobustModel, epoch: int, step: int) -> None:
    """Writes the state after `step` steps of the epoch that follows `epoch` finished ones."""
    record = {"epoch": epoch, "step": step}
    _write(folder, _PART, record, v=model.state_variables(), m=_metric_variables(model))


def find_part(folder: Folder, epoch: int) -> EpochPart | None:
    """The state within the epoch that follows `epoch` finished ones; None if there is none.

    A damaged file counts as none: the epoch starts from its checkpoint.
    """
    try:
        arrays = _read(folder, _PART)
    except _DamagedError as error:
        print(f"{folder / _PART} is damaged ({error}); the epoch starts again", flush=True)
        return None
    if arrays is None or _record(arrays)["epoch"] != epoch:
        return None
    return EpochPart(_record(arrays)["step"], _listed(arrays, "v"), _listed(arrays, "m"))


def _metric_variables(model: RobustModel) -> list:
    return [variable for metric in model.metrics for variable in metric.variables]


def _assign(variables: Sequence, values: Sequence[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _write(folder: Folder, name: str, record: Mapping[str, Any], **groups: Sequence) -> None:
    """Writes a record and groups of numbered variables, with a digest of all of them."""
    arrays = {f"{key}{i}": v.numpy() for key, group in groups.items() for i, v in enumerate(group)}
    arrays["record"] = np.frombuffer(json.dumps(record).encode(), np.uint8)
    before = _BEFORE if name == CHECKPOINT else None
    with folder.replacing(name, keep_as=before) as path:
        np.savez(path, digest=_digest(arrays), **arrays)


def _read(folder: Folder, name: str) -> dict[str, np.ndarray] | None:
    """The arrays of a file, verified by their digest; None if there is no file."""
    try:
        with np.load(folder / name) as archive:
            arrays = {member: archive[member] for member in archive.files}
        if not np.array_equal(arrays.pop("digest"), _digest(arrays)):
            raise ValueError("its content does not match its digest")
        return arrays
    except FileNotFoundError:
        return None
    except Exception as error:  # after one flipped bit, readers of zip and npy may raise anything
        raise _DamagedError(str(error) or type(error).__name__) from error


def _digest(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """SHA-256 of names, shapes and contents, as [32] uint8."""
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.kind}{array.itemsize} {array.shape} ".encode())
        digest.update(array.tobytes())
    return np.frombuffer(digest.digest(), np.uint8)


def _listed(arrays: Mapping[str, np.ndarray], key: str) -> list[np.ndarray]:
    """The group of arrays that was written under `key`."""
    count = sum(name.startswith(key) for name in arrays)
    return [arrays[f"{key}{i}"] for i in range(count)]


def _record(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    return json.loads(arrays["record"].tobytes())
