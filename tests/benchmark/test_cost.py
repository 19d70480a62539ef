"""Costs: a row for every combination. No time is asserted."""

import tensorflow as tf

from tests.benchmark.tiny_cases import TINY, VALUES
from tf_mwn.benchmark.cost import measure
from tf_mwn.benchmark.plan import combinations
from tf_mwn.benchmark.report import table


def test_rows_of_all_combinations(mirrored, monkeypatch):
    """A method that learns every third step, one and two devices, and what they have alike."""
    values = {**VALUES, "meta_interval": (3,), "devices": (1, 2)}
    cases = combinations(["meta_weight_net", "gce"], values)
    devices = {1: tf.distribute.get_strategy(), 2: mirrored}
    monkeypatch.setattr("tf_mwn.benchmark.cost._STALL_SECONDS", 0.0)
    costs = measure(cases, 1, TINY, devices)
    rows = [cost.to_json() for cost in costs]
    keys = ("method", "virtual_variables", "meta_interval", "meta_batch_size", "devices")
    assert [tuple(row[key] for key in keys) for row in rows] == [
        (*settings, number)
        for number in (1, 2)
        for settings in (
            ("cross_entropy", None, None, None),
            ("meta_weight_net", "all", 3, 6),
            ("meta_weight_net", "head", 3, 6),
            ("gce", None, None, None),
        )
    ]
    for row in rows:
        assert (row["network"], row["batch_size"], row["precision"]) == ("mlp", 6, "float32")
        assert row["milliseconds"] > 0 and row["tracing_seconds"] > 0
        assert row["stall"] is not None and row["memory_ratio"] is None
    assert [row["ratio"] for row in rows if row["method"] == "cross_entropy"] == [1, 1]
    assert "meta_weight_net virtual_variables=head meta_interval=3" in table(costs)
