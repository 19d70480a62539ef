"""Two methods on one data set, and claims about them."""

from tests.reproduction.planned_fixtures import write_run
from tf_mwn.reproduction.claims import Claim, Result
from tf_mwn.reproduction.evidence import (
    Condition,
    Configuration,
    Paired,
)

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
