"""The trials of a sweep as TensorBoard's HParams plugin shows them."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import tensorflow as tf
from tensorboard.plugins.hparams import api, api_pb2, summary

# Measures of a trial, each the mean over its seeds -> what the plugin calls them.
MEASURES = {
    "objective": "objective",
    "last_epoch_accuracy": "test accuracy, last epoch",
    "best_epoch_accuracy": "test accuracy, best epoch",
}


def write_space(
    path: Path, values: Mapping[str, Sequence], ranges: Mapping[str, tuple[float, float]]
) -> None:
    """Writes the columns of the table, in place of what `path` held.

    Args:
        path: a folder below the one that TensorBoard is given.
        values: of each setting that has values.
        ranges: lower and upper end of each other setting.
    """
    columns = [api.HParam(name, api.Discrete(choices)) for name, choices in values.items()]
    columns += [api.HParam(name, api.RealInterval(*map(float, r))) for name, r in ranges.items()]
    metrics = [api.Metric(tag, display_name=title) for tag, title in MEASURES.items()]
    with _new_writer(path).as_default(step=0):
        api.hparams_config(columns, metrics)


def write_trial(
    path: Path, name: str, values: Mapping, measures: Mapping[str, float], failed: bool
) -> None:
    """Writes one row of the table, in place of what `path` held.

    Args:
        path: the trial's folder of event files.
        name: of the trial.
        values: of the searched settings.
        measures: some of `MEASURES`; none for a trial that has failed.
        failed: shown as its status.
    """
    status = api_pb2.STATUS_FAILURE if failed else api_pb2.STATUS_SUCCESS
    with _new_writer(path).as_default(step=0):
        api.hparams(dict(values), trial_id=name)
        for tag, value in measures.items():
            tf.summary.scalar(tag, value)
        end = summary.session_end_pb(status)
        tf.summary.experimental.write_raw_pb(end.SerializeToString(), step=0)


def _new_writer(path: Path):
    shutil.rmtree(path, ignore_errors=True)
    return tf.summary.create_file_writer(str(path))
