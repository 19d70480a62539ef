"""Published tables: their numbers, the runs that repeat them, and ours beside theirs."""

import csv
import dataclasses
import json
import os
import signal
import sys
import time

import pytest

from tests.reproduction.planned_fixtures import write_run
from tf_mwn.files import Folder
from tf_mwn.recipes.published import TABLES, Number
from tf_mwn.reproduction import planned_runs, run_queue, run_time, tables
from tf_mwn.reproduction.planned_runs import PlannedRun
from tf_mwn.reproduction.reproduction import Reproduction
from tf_mwn.runs.run import FINISHED, MISSING, OTHER, STARTED


def quickstart(method="cross_entropy", seed=0, **settings):
    return PlannedRun.make("quickstart", settings, method, seed)


@pytest.mark.parametrize(
    ("table", "row", "column", "number"),
    [
        ("1", "meta_weight_net", "cifar10_longtail_200", Number(68.91)),
        ("1", "class_balanced", "cifar100_longtail_1", Number(70.50)),
        ("2", "cross_entropy", "cifar10_uniform_60", Number(53.12, 3.03)),
        ("2", "self_paced", "cifar100_uniform_0", Number(59.79, 0.46)),
        ("3", "glc", "cifar10_flip2_40", Number(88.92, 0.24)),
        ("3", "meta_weight_net", "cifar100_flip2_40", Number(58.64, 0.47)),
        ("ablation", "1-10-10-10-1", "cifar100_longtail_100", Number(42.31)),
        ("ablation", "1-50-1", "cifar10_flip2_40", Number(87.38)),
        ("arl", "adaptive_gce", "cifar10_symmetric_40", Number(86.36)),
        ("arl", "gce", "cifar100_flip2_20", Number(62.07)),
        ("clothing1m", "meta_weight_net", "clothing1m", Number(73.72)),
    ],
)
def test_published_numbers(table, row, column, number):
    assert TABLES[table].number(row, column) == number


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


def test_states(tmp_path):
    run = quickstart(epochs=2)
    assert run.state(tmp_path) == MISSING
    folder = write_run(tmp_path, run)
    assert run.state(tmp_path) == FINISHED
    (folder / "results.json").rename(folder / "kept")
    assert run.state(tmp_path) == STARTED
    identity = json.loads((folder / "config.json").read_text())
    identity["settings"]["learning_rate"] = 0.7
    (folder / "config.json").write_text(json.dumps(identity))
    assert run.state(tmp_path) == OTHER


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
    records = {r["row"]: r for r in tables.compare(cells, tmp_path)}
    base = records["cross_entropy"]
    # Best epochs 70 and 72: mean 71, sample deviation sqrt(2).
    assert base["best_epoch"] == pytest.approx(71.0)
    assert base["best_epoch_deviation"] == pytest.approx(2**0.5)
    assert base["difference"] == pytest.approx(71.0 - 70.77)
    assert (base["seeds"], base["missing_seeds"]) == ([0, 1], [2])
    alone = records["meta_weight_net"]
    assert alone["best_epoch_deviation"] is None and alone["last_epoch"] == pytest.approx(90.0)
    assert tables.rank_correlation(list(records.values())) == pytest.approx(1.0)


def test_table_files(tmp_path):
    cells = tables.cells("ablation", "cpu", [0, 1], with_sets=False)
    write_run(tmp_path, cells[0].runs[0], 0.7)
    records = tables.compare(cells, tmp_path)
    paths = tables.write(Folder(tmp_path / "tables"), "ablation", "cpu", records)
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


def test_runs_are_shared_and_missing_ones_found(tmp_path):
    plan = Reproduction.make(str(tmp_path), ["3"], ["a"], "cpu", (0,))
    names = [run.name for run in plan.runs]
    assert len(set(names)) == len(names)
    alone = Reproduction.make(str(tmp_path), ["3"], [], "cpu", (0,))
    # The quick start's cross-entropy, focal, L2RW and Meta-Weight-Net are in both.
    assert len(plan.runs) == len(alone.runs) + 4
    write_run(tmp_path, plan.runs[0])
    assert [run.name for run in plan.missing()] == names[1:]
    assert plan.listing().splitlines()[0] == f"finished  {names[0]}"
    assert plan.estimate().startswith(f"{len(names)} runs: 1 finished, {len(names) - 1} missing; ")


def test_a_folder_of_other_settings_is_refused(tmp_path):
    plan = Reproduction.make(str(tmp_path), [], ["i"], None, (0,))
    (run,) = plan.runs
    longer = dataclasses.replace(run.experiment.config, epochs=7)
    other = PlannedRun(dataclasses.replace(run.experiment, config=longer))
    write_run(tmp_path, other)
    with pytest.raises(ValueError, match="holds a run of other settings"):
        plan.missing()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "expected --table=NAME or --claims"),
        ({"tables": ["4"]}, "table: expected one of 1, 2, 3.*received '4'"),
        ({"claims": ["a"], "scale": "paper"}, "scale: expected cpu with --claims"),
        (
            {"tables": ["3"], "seeds": (0, 0)},
            "seeds: expected at least one and each once, received 0,0",
        ),
        ({"claims": ["i"], "common": {"meta_interval": 2}}, "no effect on any"),
        ({"tables": ["3"], "common": {"noise_rate": 0.1}}, "no effect on any"),
        ({"tables": ["clothing1m"]}, "expected --dataset=FOLDER"),
    ],
)
def test_mistakes(arguments, message):
    with pytest.raises(ValueError, match=message):
        Reproduction.make("runs", **arguments)


def test_seeds_of_one_configuration_are_one_command():
    runs = [quickstart("gce", seed, gce_q=0.9) for seed in (0, 1)] + [quickstart()]
    assert planned_runs.commands(runs) == [
        "python -m launch.main --recipe=quickstart --method=gce --gce_q=0.9 --seed=0,1",
        "python -m launch.main --recipe=quickstart --method=cross_entropy --seed=0",
    ]


def test_time_by_hand_and_by_finished_runs(tmp_path):
    run = quickstart(batch_size=100, epochs=60)
    # 1438 - 100 examples are 13 steps of 0.006 + 64e-5 seconds.
    step = 0.006 + 64e-5
    assert run_time.seconds(run) == pytest.approx(15 + 60 * (0.2 + 13 * step))
    meta = run_time.seconds(quickstart("meta_weight_net"))
    assert meta == pytest.approx(15 + 60 * (0.2 + 13 * step * 10 / 3))
    assert run_time.factor([run], tmp_path) is None
    write_run(tmp_path, run, seconds_per_step=4 * step)
    assert run_time.factor([run], tmp_path) == pytest.approx(4.0)
    assert run_time.seconds(quickstart(network="lenet")) is None
    assert run_time.shown(40) == "40 seconds" and run_time.shown(7200) == "2.0 hours"


# What a process of the queue does: appends to a file, and fails if its seed is odd.
CHILD = """
import sys, time
path, seed = sys.argv[1], int(sys.argv[2])
open(path, "a").write(f"+{seed}")
time.sleep(eval(sys.argv[3]))
open(path, "a").write(f"-{seed}")
if seed % 2:
    print("note", file=sys.stderr)
    print("error: odd", file=sys.stderr)
    sys.exit(2)
"""


@pytest.fixture
def interrupts():
    """Ctrl-C as in a terminal: a shell's background jobs ignore it, and so would Python."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def queue(tmp_path, monkeypatch):
    """Function of seeds, jobs and the seconds of each; the failures, and the log of the runs."""

    def execute(seeds, jobs, seconds, tell=lambda line: None):
        def child(run, folders):
            return [sys.executable, "-c", CHILD, tmp_path / "log", f"{run.seed}", f"{seconds}"]

        monkeypatch.setattr(run_queue, "command", child)
        failed = run_queue.execute([quickstart(seed=s) for s in seeds], [], jobs, tell)
        return failed, (tmp_path / "log").read_text()

    return execute


def test_queue_goes_on_after_a_failure_one_at_a_time(queue):
    lines = []
    failed, log = queue([0, 1, 2], 1, 0, lines.append)
    assert log == "+0-0+1-1+2-2"
    assert failed == {"quickstart/cross_entropy/seed1": "error: odd"}
    assert "finished" in lines[0] and "error: odd" in lines[1] and "0 left" in lines[2]


def test_queue_runs_jobs_at_a_time(queue):
    failed, log = queue([0, 2], 2, 3)
    assert failed == {} and log[:4] in ("+0+2", "+2+0")


# As `CHILD`, but another process holds the run of seed 0 at first.
HELD = """
import pathlib, sys
from tf_mwn.files import FolderConflictError, Folder
log, seed = pathlib.Path(sys.argv[1]), sys.argv[2]
first = not (log.exists() and seed in log.read_text())
open(log, "a").write(f"+{seed}")
if seed == "0" and first:
    with Folder(log.parent / "run").locked():
        try:
            with Folder(log.parent / "run").locked():
                pass
        except FolderConflictError as error:
            sys.exit(f"error: {error}")
"""


def test_a_run_that_another_process_trains_is_put_off(queue, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "CHILD", HELD)
    monkeypatch.setattr(run_queue, "_REST", 0.1)
    lines = []
    failed, log = queue([0, 2], 1, 0, lines.append)
    assert (failed, log) == ({}, "+0+2+0")
    assert "another process trains it" in lines[0] and "finished" in lines[2]


@pytest.mark.usefixtures("interrupts")
@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]
)
def test_what_ends_the_queue_ends_its_processes(queue, tmp_path, number, error):
    def send(line):
        os.kill(os.getpid(), number)
        time.sleep(5)

    with pytest.raises(error) as ended:
        queue([1, 0], 2, "1 if seed else 60", send)
    if error is SystemExit:
        assert ended.value.code == 143
    assert "-1" in (log := (tmp_path / "log").read_text()) and "-0" not in log


def test_the_command_of_a_run_has_its_flags_and_the_folders():
    command = run_queue.command(quickstart(seed=3, epochs=2), ["--workdir=w"])
    flags = ["--recipe=quickstart", "--method=cross_entropy", "--seed=3", "--epochs=2"]
    assert command == [sys.executable, "-m", "launch.main", *flags, "--workdir=w"]
