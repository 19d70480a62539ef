"""Event files that cannot be written."""

import resource
import types

import pytest
import tensorflow as tf

from tf_mwn.monitoring import event_files, hparams
from tf_mwn.monitoring.tensorboard import TensorBoardMonitor


def test_an_event_file_that_cannot_be_written_is_an_error_of_the_disk(tmp_path):
    """By a limit on the size of files, which needs no rights; a full disk fails in that call."""
    nothing = types.SimpleNamespace(weights=None)
    monitor = TensorBoardMonitor(tmp_path, nothing, {"text": "x" * 2**20}, 99, ("a",))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**19, before[1]))
    try:
        with pytest.raises(OSError, match="File too large") as failed:
            hparams.write_trial(tmp_path, "x" * 2**20, {}, {}, False)
        assert failed.value.filename == str(tmp_path)
        with pytest.raises(OSError, match="File too large"):
            monitor.on_train_begin()
            monitor.on_epoch_end(0, {"loss": 1.0})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_other_errors_in_such_a_block_stay_what_they_are(tmp_path):
    with pytest.raises(tf.errors.InvalidArgumentError), event_files.events(tmp_path):
        tf.linalg.inv(tf.zeros([2, 2]))
