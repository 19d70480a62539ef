"""Evidence: verdicts from paired differences, ratios, deviations and spreads."""

import numpy as np
import pytest

from tests.reproduction.two_configurations import FIRST, SECOND, accuracy, paired, result_of
from tf_mwn.reproduction import claims_report
from tf_mwn.reproduction.evidence import (
    DeviationRatio,
    Paired,
    Spread,
)
from tf_mwn.reproduction.intervals import FAILS, HOLDS, UNDECIDED


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
