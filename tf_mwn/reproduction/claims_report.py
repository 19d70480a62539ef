"""The report on claims: a page of Markdown, claims.json and a figure for each claim."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from tf_mwn.files import Folder
from tf_mwn.reproduction import planned_runs
from tf_mwn.reproduction.claims import Result
from tf_mwn.reproduction.evidence import Finding
from tf_mwn.tables import markdown_table


def summary(results: Sequence[Result]) -> str:
    """A table with one row per claim."""
    rows = [[r.claim.key, r.claim.statement, _seeds(r), f"**{r.verdict}**"] for r in results]
    return markdown_table(("", "claim", "seeds", "verdict"), rows)


def text(results: Sequence[Result]) -> str:
    """The whole page: a summary, then a section for each claim."""
    legend = (
        "Every verdict follows from a 95 % confidence interval over seeds: *holds* if all of it "
        "is on the claimed side of the threshold, *fails* if all of it is on the other side, "
        "*undecided* if it contains the threshold. Accuracies are those of the last epoch on the "
        "test set. A claim holds if all of its rows hold and fails if one of them fails."
    )
    parts = ["# Claims, measured", legend, summary(results), *map(_section, results)]
    known = [planned_runs.versions(r.claim.runs(r.context), r.context.workdir) for r in results]
    parts += planned_runs.made_by(version for names in known for version in names)
    return "\n\n".join(parts) + "\n"


def to_json(results: Sequence[Result]) -> list[dict[str, Any]]:
    """The content of claims.json. A limit that is not finite is null."""
    return [
        {
            "claim": result.claim.key,
            "statement": result.claim.statement,
            "note": result.claim.note,
            "verdict": result.verdict,
            "seeds": list(result.context.seeds),
            "findings": [_finding(finding) for finding in result.findings],
            "commands": planned_runs.commands(result.claim.runs(result.context)),
        }
        for result in results
    ]


def write(folder: Folder, results: Sequence[Result]) -> None:
    """Writes claims.md, claims.json and, for each claim with finished runs, <key>.png."""
    from tf_mwn.monitoring import figures  # imported here: slow, and a listing has no figures

    folder.path.mkdir(parents=True, exist_ok=True)
    folder.write_text("claims.md", text(results))
    folder.write_json("claims.json", to_json(results))
    for result in results:
        panels = _panels(result)
        if panels:
            title = f"{result.claim.key}. {result.claim.statement}"
            with folder.replacing(f"{result.claim.key}.png") as path:
                path.write_bytes(figures.png(figures.intervals(panels, title)))


def _panels(result: Result) -> dict[str, list[tuple]]:
    """The findings by unit, in the form that `figures.intervals` takes."""
    panels: dict[str, list[tuple]] = {}
    for finding in result.findings:
        if finding.interval is not None:
            limits = (finding.interval.low, finding.interval.estimate, finding.interval.high)
            label = finding.label.replace(": ", ":\n", 1)
            row = (label, finding.values, limits, finding.threshold)
            panels.setdefault(finding.unit, []).append(row)
    return panels


def _section(result: Result) -> str:
    claim = result.claim
    rows = [
        [
            finding.label,
            finding.unit,
            *_interval(finding),
            f"{'above' if finding.above else 'below'} {finding.threshold:g}",
            finding.verdict,
        ]
        for finding in result.findings
    ]
    header = ("measured", "unit", "estimate", "95 % interval", "claimed", "verdict")
    parts = [
        f"## {claim.key}. {claim.statement}",
        f"**{result.verdict}**, seeds {_seeds(result)}. {claim.note}".rstrip(),
        markdown_table(header, rows),
    ]
    if _panels(result):
        parts.append(f"![{claim.key}]({claim.key}.png)")
    commands = "\n".join(planned_runs.commands(claim.runs(result.context)))
    return "\n\n".join([*parts, f"```sh\n{commands}\n```"])


def _finding(finding: Finding) -> dict[str, Any]:
    limits = {"estimate": None, "low": None, "high": None}
    if finding.interval is not None:
        limits = {name: _finite(getattr(finding.interval, name)) for name in limits}
    return {
        "measured": finding.label,
        "unit": finding.unit,
        "values": [_finite(value) for value in finding.values],
        **limits,
        "threshold": finding.threshold,
        "claimed": "above" if finding.above else "below",
        "verdict": finding.verdict,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _interval(finding: Finding) -> tuple[str, str]:
    """The estimate and the limits as text; empty without finished runs."""
    if finding.interval is None:
        return "", ""
    interval = finding.interval
    if math.isinf(interval.low) and math.isinf(interval.high):
        needs = "needs two seeds" if len(finding.values) < 2 else "none: the values do not vary"
        return f"{interval.estimate:.3g}", needs
    estimate, low, high = (f"{value:.3g}" for value in dataclasses.astuple(interval))
    return estimate, f"{low} to {high}"


def _seeds(result: Result) -> str:
    seeds = list(result.context.seeds)
    if len(seeds) > 3 and seeds == list(range(seeds[0], seeds[-1] + 1)):
        return f"{seeds[0]}-{seeds[-1]}"
    return ",".join(map(str, seeds))
