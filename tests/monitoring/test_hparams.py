"""Rows of hyper-parameters: one for each method."""

import pytest
import tensorflow as tf

from tests.tensorboard_rows import session_groups
from tf_mwn.monitoring import hparams
from tf_mwn.settings.config import Config


def test_a_method_is_one_row_with_the_mean_of_its_seeds(tmp_path):
    for method, accuracies in {"one": (0.5, 0.7), "two": (0.9,)}.items():
        for seed, accuracy in enumerate(accuracies):
            path = tmp_path / method / f"seed{seed}"
            with tf.summary.create_file_writer(str(path)).as_default(step=3):
                tf.summary.scalar("test/accuracy", accuracy)
            for _ in range(2):  # the second time in place of the first
                hparams.write_run(path, "quickstart", method, Config().to_json())
            assert len(list(path.glob("events.*.hparams"))) == 1
    groups = {group.hparams["method"].string_value: group for group in session_groups(tmp_path)}
    assert {name: len(group.sessions) for name, group in groups.items()} == {"one": 2, "two": 1}
    means = {name: group.metric_values[0].value for name, group in groups.items()}
    assert means == {"one": pytest.approx(0.6), "two": pytest.approx(0.9)}
