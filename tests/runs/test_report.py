"""The table: rows, means over seeds, ratios."""

from tf_mwn.monitoring.health import ADVICE
from tf_mwn.runs.report import table, warnings


def result(method, seed, last, seconds, auc=None, verdict=None):
    # A run made before planted errors were has none.
    health = {"planted_auc": 0.8, "weight_spread": 0.4, "effective_fraction": 0.5}
    return (health | {"weight_verdict": verdict} if auc else {}) | {
        "method": method,
        "seed": seed,
        "last_epoch_accuracy": last,
        "best_epoch_accuracy": last + 0.1,
        "last_epoch_balanced_accuracy": last - 0.2,
        "memorised": 0.25,
        "noise_auc": auc,
        "seconds_per_step": seconds,
    }


def cells(text, method, seed):
    (line,) = [x for x in text.splitlines() if x.split()[:2] == [method, str(seed)]]
    return line.split()


def test_table_of_two_methods_and_seeds():
    text = table(
        [
            result("cross_entropy", 0, 0.5, 0.010),
            result("meta_weight_net", 0, 0.7, 0.030, 0.9),
            result("cross_entropy", 1, 0.6, 0.010),
            result("meta_weight_net", 1, 0.8, 0.030, 0.94),
        ],
        "true",
    )
    accuracies = ["60.0", "70.0", "40.0", "25.0"]
    assert cells(text, "cross_entropy", 1) == (
        ["cross_entropy", "1", *accuracies, "-", "-", "-", "-", "10.0", "1.00"]
    )
    accuracies, weights = ["70.0", "80.0", "50.0", "25.0"], ["0.90", "0.80", "0.40", "0.50"]
    assert cells(text, "meta_weight_net", 0) == (
        ["meta_weight_net", "0", *accuracies, *weights, "30.0", "3.00"]
    )
    (mean,) = [x for x in text.splitlines() if x.startswith("meta_weight_net  mean")]
    assert "75.0 ± 7.1" in mean and "0.92 ± 0.03" in mean  # sample standard deviation


def test_a_warning_for_each_method_and_verdict_with_its_seeds():
    found = [result("a", seed, 0.5, 0.01, 0.1, verdict="inverted") for seed in (0, 2)]
    found += [result("b", 0, 0.5, 0.01, 0.5, verdict="constant"), result("a", 1, 0.5, 0.01, 0.9)]
    inverted, constant = warnings([*found, result("cross_entropy", 0, 0.5, 0.01)])
    assert inverted == f"warning: a, seed 0, 2: {ADVICE['inverted']}"
    assert constant.startswith("warning: b, seed 0: V is constant")


def test_a_warning_names_the_classes_of_all_its_seeds_once():
    found = [result("a", seed, 0.5, 0.01, 0.9, verdict="given_up") for seed in (0, 1)]
    for one, names in zip(found, (["shirt"], ["shirt", "coat"]), strict=True):
        one["given_up_classes"] = names
    (text,) = warnings(found)
    assert text == f"warning: a, seed 0, 1: {ADVICE['given_up']}. Given up: shirt, coat"


def test_no_ratio_without_the_baseline():
    text = table([result("meta_weight_net", 3, 0.7, 0.03, 0.9)], "as doubtful as the others")
    assert cells(text, "meta_weight_net", 3)[-1] == "-"
    assert "mean ± std" not in text
