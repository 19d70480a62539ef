"""Costs: a row for every combination. No time is asserted."""

import sys

import pytest
import tensorflow as tf

from tests.benchmark.tiny_cases import TINY, VALUES
from tf_mwn.benchmark.cost import measure
from tf_mwn.benchmark.peer import PeerCase
from tf_mwn.benchmark.plan import combinations
from tf_mwn.benchmark.report import table

# Answers with 7 milliseconds for each step.
PEER = """
import sys
for line in sys.stdin:
    print(7.0 * int(line.removeprefix("steps ")), flush=True)
"""


def test_rows_of_all_combinations_and_of_a_peer(monkeypatch, tmp_path):
    """A method that learns every third step, and what all have alike."""
    cases = combinations(["meta_weight_net", "gce"], {**VALUES, "meta_interval": (3,)})
    monkeypatch.setattr("tf_mwn.benchmark.cost._STALL_SECONDS", 0.0)
    monkeypatch.setattr("tf_mwn.benchmark.cost._STALL_PAIRS", 1)
    (tmp_path / "peer.py").write_text(PEER)
    peer = PeerCase(f"{sys.executable} {tmp_path}/peer.py")
    costs = measure(cases, 1, TINY, {1: tf.distribute.get_strategy()}, peers=[peer])
    rows = [cost.to_json() for cost in costs]
    keys = ("method", "virtual_variables", "meta_interval", "meta_batch_size", "devices")
    assert [tuple(row[key] for key in keys) for row in rows[:-1]] == [
        ("keras", None, None, None, 1),
        ("cross_entropy", None, None, None, 1),
        ("meta_weight_net", "all", 3, 6, 1),
        ("meta_weight_net", "head", 3, 6, 1),
        ("gce", None, None, None, 1),
    ]
    for row in rows[:-1]:
        assert (row["network"], row["batch_size"], row["precision"]) == ("mlp", 6, "float32")
        assert row["milliseconds"] > 0 and row["tracing_seconds"] > 0
        assert row["stall"] is not None and row["memory_ratio"] is None
    assert rows[0]["keras_ratio"] == rows[1]["ratio"] == 1
    assert rows[-1]["milliseconds"] == 7 and rows[-1]["stall"] is None
    assert rows[-1]["keras_ratio"] == pytest.approx(7 / rows[0]["milliseconds"])
    text = table(costs)
    assert "meta_weight_net virtual_variables=head meta_interval=3" in text
    assert text.startswith("network mlp, batch_size 6,") and "\npeer: " in text


def test_a_peer_is_measured_once():
    cases = combinations(["gce"], VALUES)
    with pytest.raises(ValueError, match="peer: expected each once, received 'true' twice"):
        measure(cases, 1, TINY, {}, peers=[PeerCase("true"), PeerCase("true")])


def test_a_peer_belongs_to_one_network():
    cases = combinations(["gce"], {**VALUES, "batch_size": (6, 12)})
    with pytest.raises(ValueError, match="peer: expected one network"):
        measure(cases, 1, TINY, {}, peers=[PeerCase("true")])
