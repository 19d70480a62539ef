"""The report: what was not measured is a dash."""

from tests.benchmark.tiny_cases import settings
from tf_mwn.benchmark.cost import StepCost
from tf_mwn.benchmark.plan import Case
from tf_mwn.benchmark.report import bars, table
from tf_mwn.monitoring import figures


def test_what_was_not_measured_is_a_dash():
    costs = [
        StepCost(Case.make("cross_entropy", settings()), 2.0, 0.8, 1.0, 0.5),
        StepCost(Case.make("gce", settings()), 3.0, 1.2, 1.5, 0.5, stall=0.25),
    ]
    lines = table(costs).splitlines()
    assert lines[0].startswith("network mlp, batch_size 6")
    assert lines[3].split() == ["cross_entropy", "2.0", "0.80", "1.00", "0.5", "s", "-"]
    assert lines[4].split() == ["gce", "3.0", "1.20", "1.50", "0.5", "s", "25.0%"]
    figure = figures.ratio_bars(bars(costs), "t")
    assert [axes.get_xlabel() for axes in figure.axes] == ["time, 1 = plain Keras training"]
    assert costs[1].to_json()["memory_ratio"] is None
