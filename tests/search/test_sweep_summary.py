"""The summary of a sweep: its budget, its files and what TensorBoard shows."""

import json

from tests.search.tiny_sweeps import constant, execute, plan
from tests.tensorboard_rows import session_groups
from tf_mwn.monitoring.callbacks import NonFiniteLossError


def test_nothing_is_chosen_if_nothing_was_completed(training, tmp_path, capsys):
    def curve(config, seed):
        raise NonFiniteLossError("loss became nan")

    training(curve)
    summary, _ = execute(plan("gce_q=0.1|0.3"), tmp_path)
    assert summary["chosen"] is None and len(summary["failed"]) == 2
    assert "nothing: no trial was completed" in capsys.readouterr().out


def test_the_budget_in_plain_trainings(training, tmp_path):
    training(lambda config, seed: [0.5] * config.epochs)
    summary, _ = execute(plan("batch_size=50|100", seeds=(0, 1, 2)), tmp_path)
    # 300 examples, whole batches of 50 or 100, 2 epochs, 3 seeds.
    assert summary["epochs_trained"] == 2 * 2 * 3
    assert summary["forward_passes_of_a_plain_training"] == 300 * 2 * 3
    assert summary["forward_passes"] == 2 * 3 * 300 * 2 * 3
    assert summary["plain_trainings"] == 6.0


def test_tensorboard_shows_the_trials(training, tmp_path):
    def curve(config, seed):
        if config.gce_q == 0.9:
            raise NonFiniteLossError("loss became nan")
        return [0.25, 0.75]

    training(curve)
    _, folder = execute(plan("gce_q=0.5|0.9"), tmp_path)
    execute(plan("gce_q=0.5|0.9"), tmp_path)  # writes no row twice
    groups = session_groups(folder.path)
    groups.sort(key=lambda group: group.hparams["gce_q"].number_value)
    assert [group.hparams["gce_q"].number_value for group in groups] == [0.5, 0.9]
    measures = {m.name.tag: m.value for m in groups[0].metric_values}
    assert measures["objective"] == 0.75 and measures["last_epoch_accuracy"] == 0.25
    assert [len(group.sessions) for group in groups] == [1, 1]
    assert [group.sessions[0].status for group in groups] == [1, 2]  # success, failure
    assert not groups[1].metric_values


def test_summary_json_is_what_is_returned(training, tmp_path):
    training(constant)
    summary, folder = execute(plan("gce_q=0.1|0.5"), tmp_path)
    assert json.loads((folder / "summary.json").read_text()) == json.loads(json.dumps(summary))
    assert summary["changed"]["network"] == "mlp" and summary["space"][0]["values"] == [0.1, 0.5]
