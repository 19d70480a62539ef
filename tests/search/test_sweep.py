"""Sweeps: what is chosen and by what, and that nothing is trained twice."""

import csv
import math

import numpy as np
import pytest

from tests.search.tiny_sweeps import constant, execute, plan
from tf_mwn.files import FolderConflictError
from tf_mwn.search import sweep


def test_the_logarithm_of_the_classes_is_that_of_the_data(training, tmp_path):
    curves = training(lambda config, seed: [0.5, 0.5])
    execute(plan("poly_soft_lambda=lnC|3", method="poly_soft"), tmp_path)
    assert [config.poly_soft_lambda for config, _ in curves.trained] == [math.log(10), 3.0]


def test_a_grid_is_tried_in_order_and_the_best_mean_over_seeds_wins(training, tmp_path):
    def curve(config, seed):
        # q = 0.1 has the best seed, q = 0.3 the best mean.
        return [0.0, {0.1: (0.9, 0.1), 0.3: (0.6, 0.6), 0.5: (0.5, 0.5)}[config.gce_q][seed]]

    curves = training(curve)
    summary, folder = execute(plan("gce_q=0.1|0.3|0.5", seeds=(0, 1)), tmp_path)
    wanted = [(q, seed) for q in (0.1, 0.3, 0.5) for seed in (0, 1)]
    assert [(config.gce_q, seed) for config, seed in curves.trained] == wanted
    assert summary["chosen"]["values"] == {"gce_q": 0.3}
    assert summary["chosen"]["objective"] == [0.6, 0.6]
    with open(folder / "trials.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["objective"]) for row in rows] == [0.9, 0.1, 0.6, 0.6, 0.5, 0.5]


@pytest.mark.parametrize("search", ["grid", "random", "bayesian"])
def test_a_sweep_goes_on_where_it_stopped(training, tmp_path, search):
    space = "gce_q=0.1|0.2|0.3|0.4|0.5" if search == "grid" else "gce_q=0.1:0.9"
    options = {"search": search, "max_trials": 4}
    curves = training(constant)
    whole = execute(plan(space, **options), tmp_path / "whole")[0]
    first = list(curves.trained)

    curves.trained.clear()
    execute(plan(space, **options | {"max_trials": 2}), tmp_path / "broken")
    assert len(curves.trained) == 2

    def interrupted(config, seed):
        if len(curves.trained) == 3:
            raise KeyboardInterrupt
        return constant(config, seed)

    curves.curve = interrupted
    with pytest.raises(KeyboardInterrupt):
        execute(plan(space, **options), tmp_path / "broken")
    curves.curve = constant
    again = execute(plan(space, **options), tmp_path / "broken")[0]
    assert curves.trained == first  # each once, in the order of the sweep that was never killed
    assert again == whole


def test_values_that_are_proposed_again_are_not_trained_again(training, tmp_path):
    curves = training(constant)
    options = {"search": "bayesian", "max_trials": 6}
    summary, _ = execute(plan("gce_q=0.3|0.5|0.7|0.9", **options), tmp_path)
    values = [config.gce_q for config, _ in curves.trained]
    assert len(values) == len(set(values)) == summary["trials"] <= 4


def test_a_grid_serves_any_number_of_workers():
    oracle = sweep._oracle(plan(), plan().space)
    handed = []
    for i in range(6):
        handed.append(oracle.populate_space(str(i)))
        oracle.trials[str(i)] = None  # none has ended
    values = [answer["values"] and answer["values"]["gce_q"] for answer in handed]
    assert values == [0.1, 0.3, 0.5, 0.7, 0.9, None]
    assert handed[-1]["status"] == "STOPPED"


@pytest.mark.parametrize(("method", "continues"), [("gce", True), ("truncated_gce", False)])
def test_hyperband_continues_lower_rungs_unless_a_schedule_knows_its_end(
    training, tmp_path, method, continues
):
    # Short trainings are best, which must not decide: only full length counts.
    curves = training(lambda c, seed: [(1 - abs(c.gce_q - 0.5)) / (1 + i) for i in range(c.epochs)])
    options = {"search": "hyperband", "settings": {"epochs": 3}, "method": method}
    summary, folder = execute(plan("gce_q=0.1:0.9", **options), tmp_path)
    epochs = [config.epochs for config, _ in curves.trained]
    assert epochs == [1, 1, 1, 3, 3, 3]
    short = [config.gce_q for config, _ in curves.trained[:3]]
    promoted = curves.trained[3][0].gce_q
    assert promoted == min(short, key=lambda q: abs(q - 0.5))
    assert summary["chosen"]["epochs"] == 3
    assert summary["epochs_trained"] == sum(epochs) - (1 if continues else 0)


def examples():
    """Three classes that are easy to tell apart."""
    y = np.arange(240) % 3
    return (np.random.default_rng(0).normal(size=(240, 6)) + 2 * np.eye(6)[y]).astype("f4"), y


def mine(folder):
    """Settings of a sweep on `folder`/mine.npz."""
    dataset = str(folder / "mine.npz")
    return {"dataset": dataset, "train_size": None, "meta_size": 30, "epochs": 1}


def test_other_data_under_the_same_name_is_refused(training, tmp_path):
    x, y = examples()
    training(constant)
    np.savez(tmp_path / "mine.npz", x=x, y=y)
    execute(plan("gce_q=0.1|0.5", settings=mine(tmp_path)), tmp_path)
    np.savez(tmp_path / "mine.npz", x=x + 1, y=y)
    with pytest.raises(FolderConflictError, match="data = "):
        execute(plan("gce_q=0.1|0.5", settings=mine(tmp_path)), tmp_path)


def test_the_objective_never_sees_the_test_labels(tmp_path):
    x, y = examples()
    found = {}
    for name, y_test in (("right", y), ("wrong", (y + 1) % 3)):
        # One path for both: it is part of what identifies a sweep.
        np.savez(tmp_path / "mine.npz", x=x, y=y, x_test=x, y_test=y_test)
        found[name] = execute(plan("gce_q=0.1|0.9", settings=mine(tmp_path)), tmp_path / name)
    right, wrong = (found[name][0]["chosen"] for name in ("right", "wrong"))
    assert right["last_epoch_accuracy"][0] > 0.6 > 0.4 > wrong["last_epoch_accuracy"][0]
    for key in ("values", "objective", "objective_epoch"):
        assert right[key] == wrong[key]
