"""From a user's table, sequences and unbalanced clean examples to a run, and what reads it."""

import csv
import json

import numpy as np
import pytest
from absl import flags
from absl.testing import flagsaver

from tests.launch.finished_runs import call
from tf_mwn.launch import audit, evaluate, predict
from tf_mwn.launch import main as launch_main
from tf_mwn.launch.command_line import parse

RNG = np.random.default_rng(0)
Y = np.arange(200) % 2
X = RNG.normal(size=(200, 3)) + 3 * Y[:, None]
NAMES = ("fine", "fraud")


def table(path, columns, rows):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*columns, "kind"])
        for i in rows:
            values = dict(zip("abc", X[i], strict=True))
            writer.writerow([*(values[c] for c in columns), NAMES[Y[i]]])


def predict_rows(path, file):
    with flagsaver.flagsaver():
        predict.main(parse(["launch", f"--run={path}", str(file)], operands=True))
    flags.FLAGS.unparse_flags()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on a table with clean rows apart, of other columns and class sizes."""
    folder = tmp_path_factory.mktemp("table")
    table(folder / "all.csv", "abc", range(200))
    table(folder / "clean.csv", "bca", [1, 3, 5, 7, 9, 11, 0, 2])
    call(
        launch_main.main,
        f"--dataset={folder}/all.csv",
        "--label_column=kind",
        f"--meta={folder}/clean.csv",
        "--epochs=6",
        "--nodeterministic",
        f"--workdir={folder}/runs",
    )
    (path,) = folder.glob("runs/all-clean-*/robust/seed0")
    return folder, path


def test_its_clean_rows_are_whole_apart_and_drawn_by_class(run):
    settings = json.loads((run[1] / "config.json").read_text())["settings"]
    assert settings["meta_size"] == 8 and settings["meta_sampling"] == "by_class"
    card = json.loads((run[1] / "data_card.json").read_text())
    assert card["meta_per_class"] == [2, 6] and card["sizes"]["train"] == 154
    assert card["test_labels"] == "as doubtful as the others"


def test_columns_are_read_by_name(run, capsys):
    folder, path = run
    found = {}
    for columns in ("abc", "cab"):
        table(folder / "new.csv", columns, range(40))
        predict_rows(path, folder / "new.csv")
        out = capsys.readouterr().out
        assert out.startswith("file,row,class,probability,p(fine),p(fraud)\n")
        found[columns] = out
        call(evaluate.main, f"--run={path}", f"--dataset={folder}/new.csv")
        assert "40 examples, accuracy 1.0000" in capsys.readouterr().out
    assert found["abc"] == found["cab"]
    assert [line.split(",")[2] for line in out.splitlines()[1:]] == [NAMES[k] for k in Y[:40]]


def test_its_audit_asks_and_writes_a_table(run, capsys):
    folder, path = run
    arguments = (f"--write={folder}/out.csv", "--action=weight")
    call(audit.main, f"--run={path}", "--ask=10", *arguments)
    assert "ask.html" in capsys.readouterr().out
    with open(path / "ask.csv", newline="") as file:
        assert len(list(csv.DictReader(file))) == 10
    with open(path / "suspects.csv", newline="") as file:
        suspects = list(csv.DictReader(file))
    # Nobody vouches for the test part that was split off, so it is judged; it has no weights.
    assert [sum(row["part"] == part for row in suspects) for part in ("train", "test")] == [154, 38]
    assert {row["part"] for row in suspects if row["weight"] == ""} == {"test"}
    trust = {int(row["sample_id"]): float(row["trust"]) for row in suspects}
    with open(folder / "out.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 200 and set(rows[0]) == {*"abc", "kind", "sample_weight"}
    weights = [float(row["sample_weight"]) for row in rows]
    np.testing.assert_allclose(weights, [trust.get(i, 1.0) for i in range(200)], rtol=1e-5)


def test_sequences_train_without_clean_examples(tmp_path, capsys):
    tokens = RNG.integers(1, 9, (60, 4)) + 10 * Y[:60, None]
    np.savez(tmp_path / "text.npz", tokens=tokens, y=Y[:60], class_names=NAMES)
    call(
        launch_main.main,
        f"--dataset={tmp_path}/text.npz",
        "--epochs=2",
        "--nodeterministic",
        f"--workdir={tmp_path}",
    )
    (path,) = tmp_path.glob("text-*/sce/seed0")
    assert "as doubtful as those trained on" in capsys.readouterr().out
    predict_rows(path, tmp_path / "text.npz")
    assert capsys.readouterr().out.count("text.npz,") == 60
