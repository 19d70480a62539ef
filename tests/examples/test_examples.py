"""Every example runs, on little data."""

import os
import pathlib
import runpy

import keras
import pytest

FOLDER = pathlib.Path(__file__).parent.parent.parent / "examples"
EXAMPLES = sorted(FOLDER.glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, tmp_path, monkeypatch, capsys):
    for name, value in {"EPOCHS": "1", "SIZE": "300", "WEIGHTS": ""}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [str(path)])
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    runpy.run_path(str(path), run_name="__main__")
    printed = capsys.readouterr().out
    others = {"no_clean_set": "CMW-Net", "pandas_table": "RobustClassifier"}
    robust = others.get(path.stem, "Meta-Weight-Net")
    assert ("mean square" if path.stem == "regression" else "cross-entropy") in printed
    assert robust in printed
    if path.stem not in ("multi_label", "regression", "segmentation"):  # no single class to judge
        assert "labels are suspect" in printed
    if path.stem == "image_folder":
        assert (tmp_path / os.path.relpath(next(tmp_path.rglob("suspects.csv")))).exists()
    keras.utils.clear_session()


def test_the_page_names_every_example():
    page = (FOLDER / "README.md").read_text()
    rows = {path.name: f"| [`{path.name}`]({path.name}) |" for path in EXAMPLES}
    assert [name for name, row in rows.items() if row not in page] == []
