"""The comparison of robust with other methods, from results made up here."""

from tf_mwn.reproduction import biases, comparison
from tf_mwn.reproduction.biases import ABLATION_SEEDS, BIASES, METHOD, OTHERS, PARTS
from tf_mwn.reproduction.comparison import planned, text


def write(workdir, bias, method, accuracies, **results):
    write_runs(workdir, bias.runs_of(method), accuracies, **results)


def write_runs(workdir, runs, accuracies, **results):
    for planned_run, accuracy in zip(runs, accuracies, strict=False):
        run, method = planned_run.run(workdir), planned_run.method
        run.claim("data")
        run.write_results(
            {
                "method": method,
                "last_epoch_balanced_accuracy": accuracy,
                "last_epoch_accuracy": accuracy,
                "noise_auc": 0.9 if method == METHOD else None,
                "planted_auc": 0.8 if method == METHOD else None,
                "seconds_per_step": 0.2 if method == METHOD else 0.1,
                **results,
            }
        )


def test_every_bias_has_every_method_and_each_run_a_folder_of_its_own():
    runs = planned(with_sets=True)
    assert len({run.name for run in runs}) == len(runs)
    ablated = sum(not bias.needs_set for bias in BIASES)
    of_parts = ablated * (len(PARTS) - 1) * ABLATION_SEEDS  # with all of its parts it is known
    assert len(runs) == sum(bias.seeds for bias in BIASES) * (1 + len(OTHERS)) + of_parts
    assert all(bias.seeds >= 3 for bias in BIASES)
    assert len(planned(with_sets=False)) < len(runs)
    by_people = [run.name for run in planned(with_sets=True, label_file="lists/random1.npy")]
    assert by_people[: len(runs) - of_parts] == [run.name for run in runs[: len(runs) - of_parts]]
    assert len(by_people) == len(runs) + 3 * (1 + len(OTHERS))


def test_the_page_has_paired_differences_and_marks_a_miss(tmp_path, monkeypatch):
    monkeypatch.setattr(biases, "BIASES", BIASES[:2])
    bias = BIASES[0]
    write(tmp_path, bias, METHOD, [0.80, 0.90, 0.85])
    write(tmp_path, bias, "cross_entropy", [0.70, 0.80, 0.75])
    write(tmp_path, bias, "gce", [0.84, 0.94, 0.89])
    write(tmp_path, bias, "elr", [0.70, 0.99, 0.85])
    page = text(tmp_path)
    row, _ = [line for line in page.splitlines() if line.startswith(f"| {bias.condition.title} |")]
    cells = dict(zip(("title", *OTHERS, "auc"), row.strip("| ").split(" | "), strict=True))
    assert cells["cross_entropy"] == "+10.0 [+10.0, +10.0]"
    assert cells["gce"] == "**-4.0 [-4.0, -4.0]**"
    # Differences +10, -9, 0: mean 0.33, deviation 9.50, t(2) = 4.303.
    assert cells["elr"] == "+0.3 [-23.3, +23.9]"
    assert cells["auc"] == "0.90 0.90 0.90" and cells["clean_added"] == ""
    assert "| robust | 80.0 90.0 85.0 | 85.0 | 85.0 | 0.90 0.90 0.90 | 2.00 |" in page
    assert "--method=robust" in page and "--seed=0,1,2" in page
    nothing = PARTS["nothing"]
    assert nothing == {} and f"| {bias.condition.title} | 85.0 / 0.90 |  |  |  |  |" in page
    assert comparison.write(tmp_path).read_text() == page
    assert comparison.planted_and_true(tmp_path) == {METHOD: [(0.8, 0.9)] * 3}
    assert (tmp_path / "planted_auc.png").stat().st_size > 1000
    write(tmp_path, BIASES[1], METHOD, [0.80, 0.90, 0.85], noise_auc=0.5, weight_verdict="off")
    assert comparison.planted_and_true(tmp_path) == {METHOD: [(0.8, 0.9)] * 3}


def test_the_ablation_compares_the_same_seeds_and_says_how_many_and_who_made_them(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(biases, "BIASES", BIASES[1:2])
    (bias,) = biases.BIASES
    write(tmp_path, bias, METHOD, [0.80, 0.90, 0.85], version="0.3.0")
    write_runs(tmp_path, bias.without("last phase")[1:2], [0.5], version="0.1.0")
    page = text(tmp_path)
    assert f"| {bias.condition.title} (n = 1) | 90.0 / 0.90 |  |  |  | 50.0 / 0.90 |" in page
    assert "--fine_tuning_epochs=0 --seed=1\n" in page
    assert page.endswith("Made by tf_mwn 0.1.0 and 0.3.0.\n")


def test_the_list_of_people_is_asked_for_by_its_name(tmp_path):
    plain = biases.biases()
    assert biases.biases("lists/worse.npy") == plain
    assert len(biases.biases("lists/random1.npy")) == len(biases.biases(str(tmp_path))) > len(plain)
