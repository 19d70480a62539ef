"""What a claim is: a statement, its evidence, and the verdict that follows.

A claim holds if all of its evidence holds, fails if a part of it fails, and is undecided
otherwise: an interval that contains the threshold decides nothing.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from tf_mwn.reproduction.evidence import NOT_RUN, Context, Evidence, Finding
from tf_mwn.reproduction.intervals import FAILS, HOLDS, UNDECIDED
from tf_mwn.reproduction.planned_runs import Planned, each_once


@dataclasses.dataclass(frozen=True)
class Claim:
    """A statement and the evidence for it.

    Attributes:
        key: a letter or word by which `--claims` names it.
        statement: one sentence.
        evidence: all of it must hold.
        least_seeds: more seeds than given are added up to this number: a deviation needs many.
        note: how the statement was made measurable; empty if the evidence says it.
    """

    key: str
    statement: str
    evidence: tuple[Evidence, ...]
    least_seeds: int = 1
    note: str = ""

    def context(self, workdir: str | Path, seeds: Sequence[int], common=None) -> Context:
        """The context with the seeds of this claim."""
        more = iter(range(max(seeds) + 1, max(seeds) + 1 + self.least_seeds))
        seeds = list(seeds)
        while len(seeds) < self.least_seeds:
            seeds.append(next(more))
        return Context(Path(workdir), tuple(seeds), common or {})

    def runs(self, context: Context) -> list[Planned]:
        """What has to be trained, each once."""
        return each_once(run for part in self.evidence for run in part.runs(context))


@dataclasses.dataclass(frozen=True)
class Result:
    """A claim with what its evidence was found to be."""

    claim: Claim
    context: Context
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, claim: Claim, context: Context) -> "Result":
        return cls(claim, context, tuple(part.find(context) for part in claim.evidence))

    @property
    def verdict(self) -> str:
        """Of the claim, from those of its findings."""
        verdicts = [finding.verdict for finding in self.findings]
        for verdict in (FAILS, NOT_RUN, UNDECIDED):
            if verdict in verdicts:
                return verdict
        return HOLDS
