"""Tables: the runs that repeat the published numbers, and our results beside them."""

import csv
import json

import pytest

from tests.reproduction.planned_fixtures import write_run
from tf_mwn.files import Folder
from tf_mwn.recipes.published import TABLES
from tf_mwn.reproduction import table_page, tables


def test_numbers_that_the_papers_lack_are_no_cells():
    with pytest.raises(KeyError):
        TABLES["2"].number("s_model", "cifar10_uniform_60")
    names = {(c.row.label, c.column.name) for c in tables.cells("2", "paper", [0])}
    assert ("s_model", "cifar10_uniform_40") in names
    assert ("s_model", "cifar10_uniform_60") not in names


@pytest.mark.parametrize(
    ("table", "count"), [("1", 72), ("2", 70), ("3", 72), ("ablation", 36), ("arl", 104)]
)
def test_a_cell_for_every_number(table, count):
    cells = tables.cells(table, "paper", [0, 1])
    assert len(cells) == count and all(len(cell.runs) == 2 for cell in cells)


def config_of(table, column, label):
    cells = tables.cells(table, "paper", [0])
    (cell,) = [c for c in cells if (c.column.name, c.row.label) == (column, label)]
    return cell.runs[0].experiment.config


def test_columns_are_the_settings_they_say():
    config = config_of("arl", "cifar100_flip2_20", "gce")
    assert (config.dataset, config.noise, config.noise_rate) == ("cifar100", "flip2", 0.2)
    config = config_of("ablation", "cifar10_longtail_100", "1-100-100-1")
    assert config.weight_net_units == (100, 100) and config.imbalance_factor == 100
    config = config_of("2", "cifar100_uniform_60", "l2rw")
    assert (config.network, config.dataset, config.noise_rate) == ("wrn_28_10", "cifar100", 0.6)


def test_a_row_without_a_published_number_stands_beside_nothing(tmp_path):
    wanted = ["cross_entropy", "posthoc_logit_adjustment", "robust"]
    found = tables.cells("controls", "paper", [0], methods=wanted)
    plain, corrected, robust, *_ = found
    assert plain.runs == corrected.runs
    readings = {f"{which}_epoch_accuracy_uncorrected": 0.7 for which in ("best", "last")}
    write_run(tmp_path, plain.runs[0], 0.6, **readings)
    write_run(tmp_path, robust.runs[0], 0.5)
    records = table_page.compare(found[:3], tmp_path)
    assert [r["best_epoch"] for r in records] == pytest.approx([70, 70, 60])
    assert [r["published"] for r in records] == [70.36, 77.32, None]
    assert records[2]["difference"] is None and table_page.rank_correlation(records) is None
    page = table_page.text("controls", "paper", records)
    assert "| cross_entropy | 70.36 | 71.36 (logit adjustment's authors) | 70.00 | -0.36 |" in page
    assert "| robust |  |  | 60.00 |  | 50.00 | 0 |  |" in page
    assert "meta_weight_net_frozen is the script with V as drawn" in page
    assert page.endswith("Made by tf_mwn 0.9.\n")
    paths = table_page.write(Folder(tmp_path / "tables"), "controls", "paper", records)
    assert "logit adjustment's authors: 71.36" in paths[1].read_text()


def test_rows_are_chosen_by_label_and_a_list_of_labels_by_its_name():
    def labels(*names, **options):
        found = tables.cells("controls", "paper", [0], methods=names, **options)
        return {(cell.column.name, cell.row.label) for cell in found}

    tail, flip = "cifar10_longtail_100", "cifar10_flip2_40"
    script = {(tail, "meta_weight_net"), (flip, "meta_weight_net")}
    assert labels("meta_weight_net") == script
    assert labels("meta_weight_net_frozen") == {(tail, "meta_weight_net_frozen")}
    assert labels("elr", label_file="lists/random1.npy") - labels("elr") == {
        ("cifar10n_random1", "elr")
    }
    assert labels("elr", label_file="lists/random2.npy") == labels("elr")


def test_scale_cpu_keeps_to_what_is_at_hand():
    for table in ("1", "2", "3", "ablation", "arl"):
        cells = tables.cells(table, "cpu", [0], with_sets=False)
        assert {cell.runs[0].experiment.config.dataset for cell in cells} == {"digits"}
    sets = {
        cell.runs[0].experiment.config.dataset
        for cell in tables.cells("3", "cpu", [0], with_sets=True)
    }
    assert sets == {"digits", "fashion_mnist", "cifar10"}
    # The quick start itself, so that runs of it are found.
    names = {run.name for c in tables.cells("3", "cpu", [0]) for run in c.runs}
    assert "quickstart/meta_weight_net/seed0" in names
    with pytest.raises(ValueError, match="table: expected 1, 2, .* with --scale=cpu"):
        tables.cells("clothing1m", "cpu", [0])


def test_ours_beside_the_published_number(tmp_path):
    cells = [
        cell
        for cell in tables.cells("3", "cpu", [0, 1, 2], with_sets=False)
        if cell.column.name == "digits_flip2_40"
        and cell.row.method in ("cross_entropy", "focal", "meta_weight_net")
    ]
    reached = {"cross_entropy": (0.6, 0.62), "focal": (0.65, 0.65), "meta_weight_net": (0.9,)}
    for cell in cells:
        for run, accuracy in zip(cell.runs, reached[cell.row.method], strict=False):
            write_run(tmp_path, run, accuracy)
    records = {r["row"]: r for r in table_page.compare(cells, tmp_path)}
    base = records["cross_entropy"]
    # Best epochs 70 and 72: mean 71, sample deviation sqrt(2).
    assert base["best_epoch"] == pytest.approx(71.0)
    assert base["best_epoch_deviation"] == pytest.approx(2**0.5)
    assert base["difference"] == pytest.approx(71.0 - 70.77)
    assert (base["seeds"], base["missing_seeds"]) == ([0, 1], [2])
    alone = records["meta_weight_net"]
    assert alone["best_epoch_deviation"] is None and alone["last_epoch"] == pytest.approx(90.0)
    assert table_page.rank_correlation(list(records.values())) == pytest.approx(1.0)


def test_table_files(tmp_path):
    cells = tables.cells("ablation", "cpu", [0, 1], with_sets=False)
    write_run(tmp_path, cells[0].runs[0], 0.7)
    records = table_page.compare(cells, tmp_path)
    paths = table_page.write(Folder(tmp_path / "tables"), "ablation", "cpu", records)
    assert [path.name for path in paths] == [
        f"tableablation_cpu.{x}" for x in ("md", "csv", "json")
    ]
    page = paths[0].read_text()
    assert "| 1-50-1 | 73.50 | 80.00 | +6.50 | 70.00 | 0 | 1 |" in page
    assert "| 1-100-1 | 75.21 |  |  |  |  | 0 1 |" in page
    with open(paths[1], newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(cells) and float(rows[0]["difference"]) == pytest.approx(6.5)
    assert rows[0]["missing_seeds"] == "1" and rows[1]["best_epoch"] == ""
    written = json.loads(paths[2].read_text())
    assert written["cells"][0]["runs"] == [run.name for run in cells[0].runs]


def test_seeds_without_the_reading_are_not_counted(tmp_path):
    """An early version did not read the predictions before the correction."""
    wanted = {"methods": ["cross_entropy"], "columns": ["cifar10_longtail_100"]}
    cell, *_ = tables.cells("controls", "paper", [0, 1], **wanted)
    readings = {f"{which}_epoch_accuracy_uncorrected": 0.6 for which in ("best", "last")}
    write_run(tmp_path, cell.runs[0], 0.7, version="0.1")
    write_run(tmp_path, cell.runs[1], 0.7, **readings)
    (record,) = table_page.compare([cell], tmp_path)
    assert record["best_epoch"] == pytest.approx(60) and record["best_epoch_deviation"] is None
    assert (record["seeds"], record["missing_seeds"]) == ([1], [0])
    assert record["versions"] == ["0.9"]
