"""A claim from nothing to its verdict, by a process of its own; and again, without training."""

import dataclasses
import json
import pathlib

from tests.integration.commands import ROOT
from tests.launch.finished_runs import call
from tf_mwn.launch.reproduce import main
from tf_mwn.reproduction import claims_list, run_queue


def test_a_claim_is_trained_once(capsys, tmp_path, monkeypatch):
    known = claims_list.claims()["d"]
    one = dataclasses.replace(known, evidence=known.evidence[:1])
    monkeypatch.setattr(claims_list, "claims", lambda with_fashion=False: {"d": one})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    short = ["--claims=d", "--seeds=0", "--epochs=1", "--network=mlp", "--train_size=300"]
    call(main, *short)
    assert "1 run: 1 missing" in capsys.readouterr().out
    (written,) = json.loads(pathlib.Path("runs/claims/claims.json").read_text())
    assert written["verdict"] == "undecided"  # one seed has no interval
    assert 0 < written["findings"][0]["values"][0] < 1
    assert pathlib.Path("runs/claims/d.png").stat().st_size > 5000
    monkeypatch.setattr(run_queue, "command", None)
    call(main, *short)
    assert "1 run: 1 finished" in capsys.readouterr().out
