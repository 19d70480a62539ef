"""Claims: which runs they need, what they measure, and their verdicts."""

import json

import numpy as np
import pytest

from tests.reproduction.planned_fixtures import write_run
from tf_mwn.files import Folder
from tf_mwn.reproduction import claims_list, claims_report
from tf_mwn.reproduction.claims import Claim, Result
from tf_mwn.reproduction.evidence import (
    NOT_RUN,
    Condition,
    Configuration,
    DeviationRatio,
    Paired,
    Spread,
)
from tf_mwn.reproduction.intervals import FAILS, HOLDS, UNDECIDED
from tf_mwn.reproduction.planned_runs import PlannedStudy
from tf_mwn.search.study_plan import JOINT, SEARCHED

CONDITION = Condition("digits", "quickstart")
FIRST, SECOND = (
    Configuration(CONDITION, "meta_weight_net"),
    Configuration(CONDITION, "cross_entropy"),
)


def accuracy(run):
    return 100 * run.results["last_epoch_accuracy"]


def paired(**options):
    return Paired("a - b", "points", measure=accuracy, first=FIRST, second=SECOND, **options)


def result_of(evidence, tmp_path, seeds=(0, 1, 2), **arms):
    """The result of one claim whose runs reached the given accuracies in %."""
    claim = Claim("x", "First beats second.", (evidence,))
    context = claim.context(tmp_path, seeds)
    for run in claim.runs(context):
        write_run(tmp_path, run, arms[run.method][run.seed] / 100)
    return Result.of(claim, context)


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [
        ((80, 82, 81), HOLDS),  # differences 20 21 19
        ((40, 41, 40), FAILS),  # -20 -20 -22
        ((61, 60, 62), UNDECIDED),  # 1 -1 0
    ],
)
def test_verdicts_follow_from_paired_differences(tmp_path, ours, verdict):
    theirs = (60, 61, 62)
    result = result_of(paired(), tmp_path, meta_weight_net=ours, cross_entropy=theirs)
    assert result.verdict == verdict
    (finding,) = result.findings
    np.testing.assert_allclose(finding.values, np.subtract(ours, theirs))


def test_pairing_decides_where_the_deviation_over_seeds_hides_the_difference(tmp_path):
    # The same difference of 1 in seeds that are 40 apart.
    result = result_of(
        paired(), tmp_path, meta_weight_net=(41, 61.1, 81), cross_entropy=(40, 60, 80)
    )
    assert result.verdict == HOLDS


def test_a_ratio_is_of_each_seed(tmp_path):
    evidence = paired(ratio=True, threshold=0.6, above=False)
    result = result_of(evidence, tmp_path, meta_weight_net=(10, 21, 29), cross_entropy=(20, 40, 60))
    (finding,) = result.findings
    np.testing.assert_allclose(finding.values, [0.5, 0.525, 29 / 60])
    assert finding.interval.estimate == pytest.approx((0.5 * 0.525 * 29 / 60) ** (1 / 3))
    assert 0 < finding.interval.low < 0.5 and result.verdict == HOLDS


def test_one_part_that_fails_or_was_not_run_decides(tmp_path):
    third = Configuration(CONDITION, "focal")
    not_run = Paired("c", "points", measure=accuracy, first=third)
    claim = Claim("x", "Both.", (paired(), not_run))
    context = claim.context(tmp_path, (0, 1))
    for run in [*FIRST.runs((0, 1), {}), *SECOND.runs((0, 1), {})]:
        write_run(tmp_path, run, 0.9 if run.method == "meta_weight_net" else 0.5)
    assert [f.verdict for f in Result.of(claim, context).findings] == [HOLDS, NOT_RUN]
    assert Result.of(claim, context).verdict == NOT_RUN
    for run in third.runs((0, 1), {}):
        write_run(tmp_path, run, 0.2 + run.seed / 1000)
    assert Result.of(claim, context).verdict == HOLDS
    worse = Claim("x", "Both.", (paired(), paired(above=False)))
    assert Result.of(worse, context).verdict == FAILS


def test_what_cannot_be_measured_is_undecided(tmp_path):
    evidence = Paired("auc", "AUC", measure=lambda r: r.results["noise_auc"], first=SECOND)
    result = result_of(evidence, tmp_path, cross_entropy=(50, 50, 50))
    assert result.verdict == UNDECIDED
    (finding,) = claims_report.to_json([result])[0]["findings"]
    assert finding["values"] == [None] * 3 and finding["low"] is None


def test_deviations_and_spreads(tmp_path):
    ratio = DeviationRatio(
        "d", "ratio", measure=accuracy, first=FIRST, second=SECOND, threshold=1.0
    )
    arms = {"meta_weight_net": (10, 50, 90), "cross_entropy": (50, 50.1, 50.2)}
    assert result_of(ratio, tmp_path / "1", **arms).verdict == HOLDS
    spread = Spread(
        "s", "ratio", measure=accuracy, configurations=(FIRST, SECOND), threshold=1.0, above=False
    )
    far = {"meta_weight_net": (90, 90.1, 90.2), "cross_entropy": (50, 50.1, 50.2)}
    assert result_of(spread, tmp_path / "2", **far).verdict == FAILS


def test_missing_seeds_are_added():
    claim = Claim("l", "Spread.", (paired(),), least_seeds=5)
    assert claim.context("runs", (3, 7)).seeds == (3, 7, 8, 9, 10)
    assert claim.context("runs", range(6)).seeds == tuple(range(6))


@pytest.mark.parametrize("key", claims_list.claims(with_fashion=True))
def test_every_claim_has_runs_with_valid_settings_and_commands(key, tmp_path):
    """`resolve` has checked the settings; the flags are those of the configuration."""
    claim = claims_list.claims(with_fashion=True)[key]
    context = claim.context(tmp_path, (0, 1))
    runs = claim.runs(context)
    assert len({run.name for run in runs}) == len(runs) > 0
    result = Result.of(claim, context)
    assert result.verdict == NOT_RUN
    for run in runs:
        module, *flags = run.command()
        assert module == ("launch.study" if isinstance(run, PlannedStudy) else "launch.main")
        assert f"--method={run.method}" in flags
        assert not [flag for flag in flags if flag.endswith("=None")]


def test_claims_share_their_runs():
    known = claims_list.claims()
    names = {
        key: {run.name for run in claim.runs(claim.context("runs", (0, 1, 2)))}
        for key, claim in known.items()
    }
    assert names["d"] <= names["a"] and names["e"] <= names["a"] and names["j"] <= names["a"]
    assert names["g"] == names["h"]
    fashion = claims_list.claims(with_fashion=True)
    assert len(fashion["a"].evidence) == 2 * len(known["a"].evidence)


def test_common_settings_hold_where_a_claim_does_not_decide(tmp_path):
    common = {"epochs": 1, "meta_size": 30, "meta_interval": 2}
    known = claims_list.claims()
    for run in known["k"].runs(known["k"].context(tmp_path, (0,), common)):
        assert run.experiment.config.epochs == 1
    sizes = {
        run.experiment.config.meta_size
        for run in known["k"].runs(known["k"].context(tmp_path, (0,), common))
    }
    assert sizes == {10, 50, 200, 30}
    plain = known["i"].runs(known["i"].context(tmp_path, (0,), common))
    assert plain[0].experiment.config.meta_interval == 1  # cross-entropy does not read it


def measure_of(key, part=0):
    return claims_list.claims()[key].evidence[part].measure


def test_measures_by_hand(tmp_path):
    (planned,) = FIRST.runs((0,), {})
    # Ten examples: the tenth with the largest loss is one example, and so is the smallest.
    weights = {"loss": range(10), "weight": [0.5, *[1.0] * 8, 1.5]}
    columns = {
        "weight_change": [9, 9, 0.1, 0.3],
        "meta_accuracy": [0, 0, 0, 1.0],
        "test_accuracy": [0, 0, 0, 0.75],
    }
    write_run(tmp_path, planned, 0.8, columns, weights, noise_auc=0.9, memorised=0.95)
    run = planned.run(tmp_path)
    assert measure_of("a")(run) == pytest.approx(80.0)
    assert measure_of("c")(run) == pytest.approx(1.0)  # (1.5 - 0.5) / 1
    assert measure_of("d")(run) == 0.9
    assert measure_of("e")(run) == pytest.approx(0.2)  # the second half
    assert measure_of("i")(run) == 0.95
    assert measure_of("j")(run) == pytest.approx(25.0)


def test_a_run_from_before_a_measure_was_taken_is_undecided(tmp_path):
    claim = claims_list.claims()["e"]
    context = claim.context(tmp_path, (0, 1))
    for run in claim.runs(context):
        write_run(tmp_path, run, columns={"test_accuracy": [0.5, 0.6]})
    assert Result.of(claim, context).verdict == UNDECIDED


def test_studies_are_compared_seed_by_seed(tmp_path):
    known = claims_list.claims()
    context = known["g"].context(tmp_path, (0, 1))
    (study,) = known["g"].runs(context)
    assert study.trainings() == {"gce": 2 * (5 + 2), "adaptive_gce": 2}
    rows = [
        {"name": SEARCHED, "cost": 5.0, "results": accuracies(0.8, 0.82)},
        {"name": "learned final value, fixed", "cost": 4.0, "results": accuracies(0.6, 0.61)},
        {"name": JOINT, "cost": 3.0, "results": accuracies(0.9, 0.92)},
    ]
    folder = tmp_path / study.name
    folder.mkdir(parents=True)
    (folder / "study.json").write_text(json.dumps(rows))
    match, cost = Result.of(known["g"], context).findings
    np.testing.assert_allclose(match.values, [10.0, 10.0])
    assert match.verdict == cost.verdict == HOLDS and cost.interval.estimate == 0.6
    assert Result.of(known["h"], context).verdict == HOLDS


def accuracies(*values):
    return [{"last_epoch_accuracy": value} for value in values]


def test_page_json_and_figure(tmp_path):
    arms = {"meta_weight_net": (80, 82, 81), "cross_entropy": (60, 61, 62)}
    result = result_of(paired(), tmp_path, **arms)
    folder = Folder(tmp_path / "claims")
    claims_report.write(folder, [result])
    page = (folder / "claims.md").read_text()
    assert "|  | claim | seeds | verdict |" in page and "| x | First beats second. |" in page
    assert "| a - b | points | 20 | 17.5 to 22.5 | above 0 | holds |" in page
    assert "python -m launch.main --recipe=quickstart --method=meta_weight_net --seed=0,1,2" in page
    assert "![x](x.png)" in page and (folder / "x.png").stat().st_size > 5000
    (written,) = json.loads((folder / "claims.json").read_text())
    assert written["verdict"] == HOLDS and written["seeds"] == [0, 1, 2]
    assert written["findings"][0]["low"] == pytest.approx(20 - 2.484138, abs=1e-5)


def test_unknown_claims_are_named():
    with pytest.raises(ValueError, match="claim: expected one of a, b, .*received 'z'"):
        claims_list.select(["a", "z"])
