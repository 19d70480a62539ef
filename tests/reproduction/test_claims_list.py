"""The list of claims: which runs they need and what they measure."""

import json

import numpy as np
import pytest

from tests.reproduction.planned_fixtures import write_run
from tests.reproduction.two_configurations import FIRST
from tf_mwn.reproduction import claims_list
from tf_mwn.reproduction.claims import Result
from tf_mwn.reproduction.evidence import (
    NOT_RUN,
)
from tf_mwn.reproduction.intervals import HOLDS, UNDECIDED
from tf_mwn.reproduction.planned_runs import PlannedStudy
from tf_mwn.search.study_plan import JOINT, SEARCHED


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
    weights = {"sample_id": range(10), "label": [0] * 10, "clean_label": [0] * 10}
    weights |= {"loss": range(10), "weight": [0.5, *[1.0] * 8, 1.5]}
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


def test_unknown_claims_are_named():
    with pytest.raises(ValueError, match="claim: expected one of a, b, .*received 'z'"):
        claims_list.select(["a", "z"])
