"""Writes trials of a sweep and ordinary runs for TensorBoard's HParams plugin."""

import contextlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import tensorflow as tf

from tf_mwn.extras import extra
from tf_mwn.monitoring.event_files import events

with extra("plots"):
    from tensorboard.plugins.hparams import api, api_pb2, summary

# The measures of a trial, each a mean over its seeds, and their titles in the plugin.
MEASURES = {
    "objective": "objective",
    "last_epoch_accuracy": "test accuracy, last epoch",
    "best_epoch_accuracy": "test accuracy, best epoch",
}

# Tags of an ordinary run, and their titles as columns: the newest value, mean over the seeds.
_RUN_TAGS = {
    "test/accuracy": "test accuracy",
    "train/memorised_wrong_labels": "wrong labels memorised",
    "weights/noise_auc": "noise AUC",
    "weights/planted_auc": "planted AUC",
    "weights/effective_fraction": "effective fraction",
}
# The settings of an ordinary run that are columns.
_RUN_SETTINGS = (
    *("dataset", "noise", "noise_rate", "imbalance_factor", "meta_size"),
    *("network", "epochs", "batch_size", "learning_rate", "weight_decay"),
    *("weight_normalization", "virtual_variables", "meta_interval", "meta_learning_rate"),
)


def write_run(path: Path, experiment: str, method: str, settings: Mapping) -> None:
    """Adds a finished run to the row of its method, in place of an earlier entry of the run.

    Args:
        path: folder of the run's event files.
        experiment, method: they name the row, whose runs are the seeds.
        settings: of the run, by name.
    """
    for old in path.glob("events.*.hparams"):
        old.unlink()
    values = {"experiment": experiment, "method": method}
    values |= {name: settings[name] for name in _RUN_SETTINGS}
    metrics = [api.Metric(tag, display_name=title) for tag, title in _RUN_TAGS.items()]
    with _new_file(path, ".hparams"):
        api.hparams_config([api.HParam(name) for name in values], metrics)
        api.hparams(values, trial_id=f"{method}, {experiment}")
        _write_status(api_pb2.STATUS_SUCCESS)


def write_space(
    path: Path, values: Mapping[str, Sequence], ranges: Mapping[str, tuple[float, float]]
) -> None:
    """Writes the columns of the table, in place of the previous content of `path`.

    Args:
        path: a folder below the log folder of TensorBoard.
        values: of each setting that is searched at values.
        ranges: lower and upper end of each setting that is searched in a range.
    """
    columns = [api.HParam(name, api.Discrete(choices)) for name, choices in values.items()]
    columns += [api.HParam(name, api.RealInterval(*map(float, r))) for name, r in ranges.items()]
    metrics = [api.Metric(tag, display_name=title) for tag, title in MEASURES.items()]
    with _only_file(path):
        api.hparams_config(columns, metrics)


def write_trial(
    path: Path, name: str, values: Mapping, measures: Mapping[str, float], failed: bool
) -> None:
    """Writes a row of the table, in place of the previous content of `path`.

    Args:
        path: folder of the trial's event files.
        name: of the trial.
        values: of the searched settings.
        measures: some of `MEASURES`; none for a failed trial.
        failed: whether the status of the row is failure.
    """
    with _only_file(path):
        api.hparams(dict(values), trial_id=name)
        for tag, value in measures.items():
            tf.summary.scalar(tag, value)
        _write_status(api_pb2.STATUS_FAILURE if failed else api_pb2.STATUS_SUCCESS)


def _write_status(status: int) -> None:
    end = summary.session_end_pb(status)
    tf.summary.experimental.write_raw_pb(end.SerializeToString(), step=0)


def _only_file(path: Path):
    shutil.rmtree(path, ignore_errors=True)
    return _new_file(path)


@contextlib.contextmanager
def _new_file(path: Path, suffix: str | None = None) -> Iterator[None]:
    """Opens an event file for the block and closes it at the end, so that it is on the disk."""
    with events(path):
        writer = tf.summary.create_file_writer(str(path), filename_suffix=suffix)
        with writer.as_default(step=0):
            yield
        writer.close()
