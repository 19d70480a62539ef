"""Sweeps: search spaces, what is chosen and by what, and that nothing is trained twice."""

import csv
import json
import math
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from tests.tensorboard_rows import session_groups
from tf_mwn.data.sources.location import DEFAULT_LOCATION
from tf_mwn.data.splits.biased_data import prepare
from tf_mwn.files import Folder, FolderConflictError
from tf_mwn.methods import registry
from tf_mwn.monitoring.callbacks import NonFiniteLossError
from tf_mwn.options import LOG_CLASSES
from tf_mwn.runs import build
from tf_mwn.runs.cost import forward_passes
from tf_mwn.runs.session import Session
from tf_mwn.search import sweep, sweep_trial
from tf_mwn.search.space import Domain, default_space, parse_space
from tf_mwn.search.sweep import Sweep
from tf_mwn.search.sweep_plan import SweepPlan
from tf_mwn.search.sweep_trial import Rung
from tf_mwn.settings.config import SETTINGS, Config

TINY = {"network": "mlp", "epochs": 2, "train_size": 300, "batch_size": 50, "deterministic": False}


def plan(*space, method="gce", seeds=(0,), settings=(), **options) -> SweepPlan:
    searched = {text.partition("=")[0] for text in space}
    overrides = {k: v for k, v in TINY.items() if k not in searched} | dict(settings)
    return SweepPlan.make("quickstart", overrides, [method], seeds, space or None, **options)


def execute(chosen: SweepPlan, workdir):
    """The summary of a sweep, and its folder."""
    ready = Sweep.prepare(chosen, tf.distribute.get_strategy(), str(workdir))
    return ready.execute(), Folder(ready.path)


class Curves:
    """Stands for training: writes a run's files from a function of its settings.

    Args:
        curve: meta accuracies over the epochs, from (config, seed); it may raise.
    """

    def __init__(self, curve):
        self.curve, self.trained = curve, []

    def __call__(self, run, data, strategy):
        run.claim(data.card["fingerprint"])
        if run.results is None:
            values = self.curve(run.config, run.seed)
            self.trained.append((run.config, run.seed))
            # The test accuracy prefers what the objective does not.
            history = [
                {"epoch": i + 1, "meta_accuracy": value, "test_accuracy": 1 - value}
                for i, value in enumerate(values)
            ]
            run.write_metrics(history)
            run.folder.write_text("checkpoint.npz", f"{run.config.epochs} epochs")
            test = [record["test_accuracy"] for record in history]
            results = {"last_epoch_accuracy": test[-1], "best_epoch_accuracy": max(test)}
            run.write_results(results)


@pytest.fixture
def training(monkeypatch):
    """Replaces training by curves; call it with the function that gives them."""

    def replace(curve) -> Curves:
        curves = Curves(curve)
        monkeypatch.setattr(sweep_trial, "train", curves)
        return curves

    return replace


def constant(config, seed):
    """Best at q = 0.5, at every epoch."""
    return [1 - abs(config.gce_q - 0.5)] * config.epochs


# Search spaces.


def test_spaces_as_a_user_writes_them():
    texts = [
        "gce_q=0.1|0.5",
        "learning_rate=0.01:1:log",
        "batch_size=32:128",
        "nesterov=true|false",
    ]
    assert parse_space(
        [*texts, "poly_soft_lambda=lnC|3", "network=mlp|small_cnn", "focal_gamma"]
    ) == (
        Domain("gce_q", (0.1, 0.5)),
        Domain("learning_rate", low=0.01, high=1.0, log=True),
        Domain("batch_size", low=32, high=128),
        Domain("nesterov", (True, False)),
        Domain("poly_soft_lambda", (LOG_CLASSES, 3.0)),
        Domain("network", ("mlp", "small_cnn")),
        Domain("focal_gamma", SETTINGS["focal_gamma"].grid),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gce_p=0.1", "did you mean 'gce_q'"),
        ("learning_rte", "did you mean 'learning_rate'"),
        ("momentum", "received momentum alone, which has no usual values"),
        ("gce_q=", "expected float values for gce_q, received ''"),
        ("gce_q=0.1|x", "expected float values for gce_q, received 'x'"),
        ("gce_q=0.1|nan", "expected float values for gce_q, received 'nan'"),
        ("batch_size=0.5", "expected int values"),
        ("nesterov=yes", "received 'yes'"),
        ("gce_q=0.9:0.1", "expected LOW below HIGH"),
        ("gce_q=0.1:0.9:lin", "received 0.1:0.9:lin"),
        ("weight_decay=0:1:log", "expected LOW above 0"),
        ("gce_q=0.1|0.1", "each value of gce_q once"),
        ("noise_rate=0.1|0.2", "pass it as --noise_rate"),
        ("meta_size=10|20", "pass it as --meta_size"),
        ("devices=1|2", "pass it as --devices"),
        ("decay_epochs=1|2", "the list decay_epochs"),
    ],
)
def test_spaces_that_are_refused(text, message):
    with pytest.raises(ValueError, match="space: ") as error:
        parse_space([text])
    assert message in str(error.value)


def test_usual_values_are_those_of_the_papers():
    spaces = {
        method: {d.name: d.values for d in default_space(registry.find(method), ())}
        for method in ("gce", "sce", "bi_tempered", "poly_soft", "focal", "self_paced", "mae")
    }
    assert spaces == {
        "gce": {"gce_q": (0.1, 0.3, 0.5, 0.7, 0.9)},
        "sce": {"sce_alpha": (0.1, 1.0, 6.0), "sce_beta": (0.1, 1.0)},
        "bi_tempered": {
            "bi_tempered_t1": (0.5, 0.7, 0.8, 0.9),
            "bi_tempered_t2": (1.1, 1.2, 1.5, 2.0),
        },
        "poly_soft": {"poly_soft_lambda": ("lnC", 3.0, 5.0, 10.0), "poly_soft_d": (1.5, 2.0, 3.0)},
        "focal": {"focal_gamma": (0.5, 1.0, 2.0)},
        "self_paced": {"self_paced_fraction": (0.5, 0.7, 0.9)},
        "mae": {"learning_rate": (0.01, 0.03, 0.1, 0.3)},
    }


@pytest.mark.parametrize("name", [n for n, option in SETTINGS.items() if option.grid])
def test_every_usual_value_is_one_that_the_setting_may_have(name):
    for value in Domain(name, SETTINGS[name].grid).of_classes(10).values:
        assert getattr(Config(**{name: value}), name) == value


def test_a_setting_given_as_a_flag_is_not_searched():
    chosen = plan(method="sce", settings={"sce_alpha": 6.0})
    assert [domain.name for domain in chosen.space] == ["sce_beta"]


def test_the_logarithm_of_the_classes_is_that_of_the_data(training, tmp_path):
    curves = training(lambda config, seed: [0.5, 0.5])
    execute(plan("poly_soft_lambda=lnC|3", method="poly_soft"), tmp_path)
    assert [config.poly_soft_lambda for config, _ in curves.trained] == [math.log(10), 3.0]


# Plans.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "meta_weight_net"}, "a method that trains on the meta images, received meta"),
        ({"objective": "validation"}, "expected --validation_size above 0"),
        ({"space": ["sce_alpha=1|6"]}, "no effect on gce; it is an option of"),
        ({"space": ["gce_q=0.5|1.5"]}, "gce_q: expected a value in (0, 1], received 1.5"),
        ({"space": ["gce_q=0.1:0.9"]}, "search=grid: expected values A|B|C"),
        ({"space": ["gce_q"], "settings": {"gce_q": 0.3}}, "received both"),
        (
            {"space": ["epochs=1|2"], "search": "hyperband"},
            "expected no epochs with --search=hyperband",
        ),
        ({"seed": 1}, "seed: expected 0 with --search=grid"),
        ({"search": "hyperband", "max_trials": 3}, "max_trials: expected none"),
        ({"seeds": (0, 0)}, "seed: expected each once"),
    ],
)
def test_plans_that_are_refused(options, message):
    space = options.pop("space", ())
    with pytest.raises(ValueError) as error:
        plan(*space, **options)
    assert message in str(error.value)


def test_one_method_is_searched():
    for methods in (None, ["gce", "sce"]):
        with pytest.raises(ValueError, match="method: expected one"):
            SweepPlan.make("quickstart", {}, methods, (0,))


def test_whatever_decides_the_trials_is_in_the_folder():
    different = [
        plan(),
        plan("gce_q=0.1|0.3"),
        plan("gce_q=0.1|0.3|0.5"),
        plan("learning_rate=0.1|0.3"),
        plan(settings={"momentum": 0.5}),
        plan(epoch="best"),
        plan(seeds=(0, 1)),
        plan(search="random"),
        plan(search="random", seed=1),
        plan(settings={"validation_size": 50}),
        plan(settings={"validation_size": 50}, objective="validation"),
        plan(method="truncated_gce"),
    ]
    folders = [chosen.folder for chosen in different]
    assert len(set(folders)) == len(folders)
    assert plan(max_trials=2).folder == plan().folder  # more trials go on in the same place


# What is chosen.


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


@pytest.mark.parametrize(("epoch", "chosen", "at"), [("last", 0.3, 2), ("best", 0.1, 1)])
def test_the_epoch_that_decides(training, tmp_path, epoch, chosen, at):
    training(lambda config, seed: [0.9, 0.2] if config.gce_q == 0.1 else [0.3, 0.4])
    best = execute(plan("gce_q=0.1|0.3", epoch=epoch), tmp_path)[0]["chosen"]
    assert best["values"] == {"gce_q": chosen} and best["objective_epoch"] == [at]
    # Test accuracy is 1 - objective here: at that epoch, at the last, and the largest.
    objective = best["objective"][0]
    assert best["objective_epoch_accuracy"] == [pytest.approx(1 - objective)]
    assert best["last_epoch_accuracy"] == [pytest.approx(0.8 if chosen == 0.1 else 0.6)]
    assert best["best_epoch_accuracy"] == [pytest.approx(0.8 if chosen == 0.1 else 0.7)]


def test_a_failed_trial_is_reported_and_the_others_go_on(training, tmp_path, capsys):
    def curve(config, seed):
        if config.gce_q in (0.1, 0.3, 0.5, 0.7) and seed == 1:  # more than Keras Tuner puts up with
            raise NonFiniteLossError("loss became nan")
        return [1.0, 1.0] if seed == 0 and config.gce_q < 0.9 else [0.2, 0.2]

    training(curve)
    summary, folder = execute(plan(seeds=(0, 1)), tmp_path)
    assert [failure["values"]["gce_q"] for failure in summary["failed"]] == [0.1, 0.3, 0.5, 0.7]
    assert summary["chosen"]["values"] == {"gce_q": 0.9}
    assert summary["trials"] == 5
    assert summary["epochs_trained"] == 4 * 2 + 2 * 2  # what the failed ones cost is counted
    shown = capsys.readouterr().out
    assert shown.count("failed      trial") == 4 and "loss became nan" in shown
    with open(folder / "trials.csv", newline="") as file:
        assert [row["objective"] for row in csv.DictReader(file)] == [""] * 8 + ["0.2"] * 2


def test_values_that_exclude_each_other_fail_in_their_trial(tmp_path):
    space = ["bi_tempered_t1=0.9", "bi_tempered_t2=0.5|1.2"]
    settings = {"epochs": 1, "train_size": 100}
    summary, _ = execute(plan(*space, method="bi_tempered", settings=settings), tmp_path)
    (failure,) = summary["failed"]
    assert failure["values"]["bi_tempered_t2"] == 0.5 and "t2" in failure["problem"]
    assert summary["chosen"]["values"]["bi_tempered_t2"] == 1.2


def test_a_batch_larger_than_the_training_set_fails_in_its_trial(training, tmp_path):
    training(lambda config, seed: [0.5, 0.5])
    summary, _ = execute(plan("batch_size=50|500"), tmp_path)
    (failure,) = summary["failed"]
    assert "batch_size: expected at most the 300 training images" in failure["problem"]


def test_nothing_is_chosen_if_nothing_was_completed(training, tmp_path, capsys):
    def curve(config, seed):
        raise NonFiniteLossError("loss became nan")

    training(curve)
    summary, _ = execute(plan("gce_q=0.1|0.3"), tmp_path)
    assert summary["chosen"] is None and len(summary["failed"]) == 2
    assert "nothing: no trial was completed" in capsys.readouterr().out


def test_a_full_disk_is_not_a_failed_trial(training, tmp_path):
    def curve(config, seed):
        raise OSError("No space left on device")

    training(curve)
    with pytest.raises(OSError, match="No space left"):
        execute(plan(), tmp_path)
    assert not list(pathlib.Path(tmp_path).rglob("outcome.json"))


# Killed and resumed.


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


def test_an_unfinished_trial_keeps_the_seeds_that_have_ended(training, tmp_path):
    curves = training(constant)
    whole, folder = execute(plan("gce_q=0.1|0.3", seeds=(0, 1)), tmp_path)
    lost = folder / whole["chosen"]["folder"]
    (lost / "outcome.json").unlink()
    (lost / "gce/seed1/results.json").unlink()
    curves.trained.clear()
    assert execute(plan("gce_q=0.1|0.3", seeds=(0, 1)), tmp_path)[0] == whole
    assert [(config.gce_q, seed) for config, seed in curves.trained] == [(0.3, 1)]


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


# Hyperband.


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


def test_a_continued_rung_is_the_training_of_its_length(tmp_path):
    chosen = plan("gce_q=0.7", settings={"train_size": 100}, search="random")
    session = Session.prepare(chosen.experiment, tf.distribute.get_strategy(), str(tmp_path))
    continued, anew = (sweep_trial.Trials(chosen, session, tmp_path / name) for name in "ab")
    continued.train(0, {"gce_q": 0.7}, Rung(1))
    one = continued.train(1, {"gce_q": 0.7}, Rung(2, lower=1))
    other = anew.train(1, {"gce_q": 0.7}, Rung(2))
    assert (one["epochs_trained"], other["epochs_trained"]) == (1, 2)
    for key in ("epochs", "objective", "last_epoch_accuracy", "best_epoch_accuracy"):
        assert one[key] == other[key]
    state = f"{one['folder']}/gce/seed0/checkpoint.npz"
    with np.load(tmp_path / "a" / state) as a, np.load(tmp_path / "b" / state) as b:
        states = [name for name in a.files if name.startswith("v")]  # the history holds times
        assert len(states) > 4
        for name in states:
            np.testing.assert_array_equal(a[name], b[name])


# Data of one's own.


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


# The objective, the budget, and what is shown.


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


def test_forward_passes_by_hand():
    source = build.load_sources(Config(dataset="digits"), DEFAULT_LOCATION)[0]
    config = Config(dataset="digits", train_size=330, batch_size=100, meta_batch_size=50)
    data = prepare(source, config, 0)

    def cost(method, **changed):
        """Of an epoch in the middle of training, of 3 steps of 100."""
        settings = Config(**{**vars(config), **changed})
        return forward_passes(settings, registry.find(method), data, 30, 31)

    # Forward 1, backward 2.
    assert cost("gce") == 3 * 100 * 3
    # A meta update adds 2 + 2 on the batch and 3 on the meta batch: 550 here.
    assert cost("meta_weight_net") == 900 + 3 * 550
    assert cost("meta_weight_net", meta_interval=2) == 900 + 1.5 * 550
    assert cost("meta_weight_net", reuse_gradient=True) == 900 + 3 * 350
    assert cost("meta_weight_net", recompute=True) == 900 + 3 * 650
    assert cost("meta_weight_net", speed="fast") == pytest.approx(900 + 0.6 * 350)
    # L2RW in every step 2 on the batch and 3 on the meta batch.
    assert cost("l2rw") == 900 + 3 * 350
    # Those that were counted as plain training before: no virtual step, but a meta gradient.
    assert cost("learned_weight_decay") == cost("hypergradient_descent") == 900 + 3 * 150
    assert cost("architecture_gate") == cost("meta_weight_net")
    assert cost("co_teaching") == 2 * cost("gce")
    # All epochs: plain training, then five epochs on meta batches alone.
    whole = forward_passes(config, registry.find("fine_tuning"), data)
    assert whole == 60 * 900 + 5 * 3 * 3 * 50


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
