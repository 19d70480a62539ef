"""The exact state of a run in one file: kill it anywhere, and it goes on with the same bits."""

import json
import zipfile

import numpy as np

from tf_mwn.experiments.run_folder import FolderConflictError, RunFolder
from tf_mwn.methods.robust_model import RobustModel

CHECKPOINT = "checkpoint.npz"


def save(folder: RunFolder, model: RobustModel, history: list[dict]) -> None:
    """Writes every state variable and the history of finished epochs, atomically.

    The data stream needs no state: it is a function of the seed and the epoch.
    """
    arrays = {f"v{i}": v.numpy() for i, v in enumerate(model.state_variables())}
    record = np.frombuffer(json.dumps(history).encode(), np.uint8)
    with folder.replacing(CHECKPOINT) as path:
        np.savez(path, history=record, **arrays)


def restore(folder: RunFolder, model: RobustModel) -> list[dict]:
    """Brings `model` to the state of the checkpoint; the history of its finished epochs.

    Without a checkpoint the model stays as it is and the history is empty.

    Raises:
        FolderConflictError: the checkpoint is damaged, or belongs to a model of other shapes.
    """
    path = folder / CHECKPOINT
    variables = model.state_variables()
    try:
        with np.load(path) as archive:
            values = [archive[f"v{i}"] for i in range(len(archive.files) - 1)]
            history = json.loads(archive["history"].tobytes())
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise FolderConflictError(
            f"{path}: the checkpoint is damaged ({error}); delete it to start this run again"
        ) from error
    if [v.shape for v in values] != [tuple(v.shape) for v in variables]:
        raise FolderConflictError(
            f"{path}: expected {len(variables)} variables as in this model, received "
            f"{len(values)} of other shapes; delete it to start this run again"
        )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    return history
