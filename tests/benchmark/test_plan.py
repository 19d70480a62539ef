"""Plans of a benchmark: the combinations, and values from the command line."""

from tests.benchmark.tiny_cases import VALUES, settings
from tf_mwn.benchmark import plan
from tf_mwn.benchmark.plan import Case, combinations, parsed, suite
from tf_mwn.methods import registry


def test_options_that_a_method_does_not_read_do_not_multiply():
    values = {**VALUES, "meta_interval": (1, 5), "batch_size": (6, 12)}
    cases = combinations(["cross_entropy", "gce", "l2rw", "meta_weight_net"], values)
    methods = [*registry.METHODS, plan.KERAS]
    counted = {method: sum(case.method == method for case in cases) for method in methods}
    assert {method: n for method, n in counted.items() if n} == {
        "cross_entropy": 2,
        "gce": 2,
        "l2rw": 4,
        "meta_weight_net": 8,
        "keras": 2,
    }
    assert all({case.baseline, case.plain_keras} <= set(cases) for case in cases)


def test_the_meta_batch_follows_the_batch():
    for given, size in (("same", 6), ("half", 3), (2, 2)):
        case = Case.make("meta_weight_net", settings(meta_batch_size=given))
        assert case.settings["meta_batch_size"] == size
    assert Case.make("gce", settings(meta_batch_size="half")).settings["meta_batch_size"] is None


def test_values_from_the_command_line():
    assert parsed("batch_size", ["1", "20"]) == (1, 20)
    assert parsed("meta_batch_size", ["same", "7"]) == ("same", 7)
    assert parsed("network", ["mlp"]) == ("mlp",)


def test_suites_hold_what_can_be_built():
    for name in plan.SUITES:
        names = [case.name for case in suite(name, VALUES)]
        assert names[:2] == ["keras", "cross_entropy"] and len(set(names)) == len(names)
