"""Claims: the part that decides, and the seeds they miss."""

from tests.reproduction.planned_fixtures import write_run
from tests.reproduction.two_configurations import CONDITION, FIRST, SECOND, accuracy, paired
from tf_mwn.reproduction.claims import Claim, Result
from tf_mwn.reproduction.evidence import (
    NOT_RUN,
    Configuration,
    Paired,
)
from tf_mwn.reproduction.intervals import FAILS, HOLDS


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


def test_missing_seeds_are_added():
    claim = Claim("l", "Spread.", (paired(),), least_seeds=5)
    assert claim.context("runs", (3, 7)).seeds == (3, 7, 8, 9, 10)
    assert claim.context("runs", range(6)).seeds == tuple(range(6))
