"""The report of claims: a page, JSON and a figure."""

import json

import pytest

from tests.reproduction.two_configurations import paired, result_of
from tf_mwn.files import Folder
from tf_mwn.reproduction import claims_report
from tf_mwn.reproduction.evidence import Finding
from tf_mwn.reproduction.intervals import HOLDS, UNDECIDED, mean_interval


def test_page_json_and_figure(tmp_path):
    arms = {"meta_weight_net": (80, 82, 81), "cross_entropy": (60, 61, 62)}
    result = result_of(paired(), tmp_path, **arms)
    folder = Folder(tmp_path / "claims")
    claims_report.write(folder, [result])
    page = (folder / "claims.md").read_text()
    assert "|  | claim | seeds | verdict |" in page and "| x | First beats second. |" in page
    assert "| a - b | points | 20 | 17.5 to 22.5 | above 0 | holds |" in page
    assert "python -m launch.main --recipe=quickstart --method=meta_weight_net --seed=0,1,2" in page
    assert page.endswith("\n\nMade by tf_mwn 0.9.\n")
    assert "![x](x.png)" in page and (folder / "x.png").stat().st_size > 5000
    (written,) = json.loads((folder / "claims.json").read_text())
    assert written["verdict"] == HOLDS and written["seeds"] == [0, 1, 2]
    assert written["findings"][0]["low"] == pytest.approx(20 - 2.484138, abs=1e-5)


def test_one_seed_has_no_interval():
    interval = mean_interval([20.0])
    finding = Finding("a - b", "points", (20.0,), interval, 0.0, True, UNDECIDED)
    assert claims_report._interval(finding) == ("20", "needs two seeds")
