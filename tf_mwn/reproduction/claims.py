"""A claim: a statement, its evidence, and the verdict that follows.

A claim holds if all of its evidence holds, and fails if a part of it fails. Otherwise it is
undecided, or not run if runs are missing.
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
        key: a letter or word by which `--claims` names the claim.
        statement: one sentence.
        evidence: all of it must hold.
        least_seeds: if fewer seeds are given, others are added up to this number. A standard
            deviation needs many.
        note: how the statement is measured; empty if the evidence makes it clear.
    """

    key: str
    statement: str
    evidence: tuple[Evidence, ...]
    least_seeds: int = 1
    note: str = ""

    def context(self, workdir: str | Path, seeds: Sequence[int], common=None) -> Context:
        """The context with the seeds of this claim."""
        added = range(max(seeds) + 1, max(seeds) + 1 + self.least_seeds - len(seeds))
        return Context(Path(workdir), (*seeds, *added), common or {})

    def runs(self, context: Context) -> list[Planned]:
        """The runs that the evidence needs, each once."""
        return each_once(run for part in self.evidence for run in part.runs(context))


@dataclasses.dataclass(frozen=True)
class Result:
    """A claim with the findings of its evidence."""

    claim: Claim
    context: Context
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, claim: Claim, context: Context) -> "Result":
        return cls(claim, context, tuple(part.find(context) for part in claim.evidence))

    @property
    def verdict(self) -> str:
        """The verdict of the claim, from the verdicts of its findings."""
        verdicts = [finding.verdict for finding in self.findings]
        for verdict in (FAILS, NOT_RUN, UNDECIDED):
            if verdict in verdicts:
                return verdict
        return HOLDS
