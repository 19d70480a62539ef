"""`python -m launch.audit`: suspects of a finished run."""

import csv
import json
import shutil

import numpy as np
import pytest

from tests.launch.finished_runs import call, mistake, train
from tf_mwn.launch.audit import main


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return train(tmp_path_factory.mktemp("runs"))


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_files_and_numbers_agree_with_the_run(runs, capsys):
    folder = runs[0]
    call(main, f"--run={folder}")
    printed = capsys.readouterr().out
    assert (folder / "contact_sheet.png").stat().st_size > 10_000
    known = {row["sample_id"]: row for row in rows_of(folder / "weights.csv")}
    suspects = rows_of(folder / "suspects.csv")
    assert len(suspects) == len(known) == 400
    for row in suspects:
        one = known[row["sample_id"]]
        assert row["label"] == one["label"] and row["clean_label"] == one["clean_label"]
        assert float(row["weight"]) == float(one["weight"])
        assert float(row["loss"]) == pytest.approx(float(one["loss"]), rel=1e-3, abs=1e-4)
    report = json.loads((folder / "audit.json").read_text())
    # The precision of the table, from the file.
    wrong = np.array([row["label"] != row["clean_label"] for row in suspects])
    trust = report["rankings"]["trust"]
    assert trust["precision"] == pytest.approx(wrong[: wrong.sum()].mean())
    assert trust["precision"] > wrong.mean() and f"{trust['precision']:.3f}" in printed
    results = json.loads((folder / "results.json").read_text())
    assert report["rankings"]["weight"]["auc"] == pytest.approx(results["noise_auc"], abs=1e-6)


def test_a_method_without_weights_says_so(runs, capsys):
    call(main, f"--run={runs[1]}", "--images=0")
    assert "cross_entropy gives no weights" in capsys.readouterr().out
    assert not (runs[1] / "contact_sheet.png").exists()
    suspects = rows_of(runs[1] / "suspects.csv")
    assert {row["weight"] for row in suspects} == {""} and suspects[0]["trust"]


def test_a_cleaned_set(runs, tmp_path, capsys):
    """Labels for --label_file, which read back as the audit and the decisions say."""
    folder = runs[0]
    call(main, f"--run={folder}")
    capsys.readouterr()
    first, second, *rest = rows_of(folder / "suspects.csv")
    header = "sample_id,path,label,decision,new_label"
    lines = [f"{first['sample_id']},,{first['label']},keep,", f"{second['sample_id']},"]
    lines[1] += f",{second['label']},drop,"
    (tmp_path / "decisions.csv").write_text("\n".join([header, *lines]) + "\n")
    arguments = [f"--run={folder}", f"--decisions={tmp_path}/decisions.csv"]
    call(main, *arguments, f"--write={tmp_path}/labels.npz", "--action=weight")
    assert "a person decided on 2" in capsys.readouterr().out
    with np.load(tmp_path / "labels.npz") as archive:
        written = {name: archive[name] for name in archive.files}
    rows = dict(zip(written["sample_id"].tolist(), range(len(written["label"])), strict=True))
    for row, weight in ((first, 1), (second, 0), *((row, float(row["trust"])) for row in rest)):
        place = rows[int(row["sample_id"])]
        assert written["label"][place] == row["label"]
        assert written["weight"][place] == pytest.approx(weight, abs=1e-4)
    assert len(rows) == 1438  # every training example of the digits


def test_mistakes(runs, capsys, tmp_path):
    assert "expected --run=DIR" in mistake(capsys, main)
    assert "holds no config.json" in mistake(capsys, main, f"--run={tmp_path}")
    write = f"--write={tmp_path}/new.csv"
    assert "action: expected one of drop, relabel, weight" in mistake(capsys, main, write)
    for flag in ("--action=drop", "--decisions=d.csv"):
        assert "expected --write=DIR or FILE with it" in mistake(capsys, main, flag)
    copy = tmp_path / "copy"
    shutil.copytree(runs[0], copy)
    (copy / "weights.csv").unlink()
    assert "weights.csv" in mistake(capsys, main, f"--run={copy}")
    identity = json.loads((copy / "config.json").read_text())
    identity["seed"] = 1
    (copy / "config.json").write_text(json.dumps(identity))
    assert "received other data" in mistake(capsys, main, f"--run={copy}")
    (copy / "results.json").unlink()
    assert "a run that has ended" in mistake(capsys, main, f"--run={copy}")
