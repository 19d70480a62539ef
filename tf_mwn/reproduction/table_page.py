"""Our numbers beside the published ones, as Markdown, CSV and JSON."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tf_mwn.files import Folder
from tf_mwn.reproduction.planned_runs import made_by, versions
from tf_mwn.reproduction.tables import TABLES, Cell
from tf_mwn.tables import markdown_table, moments, with_deviation


def compare(found: Sequence[Cell], workdir: str | Path) -> list[dict[str, Any]]:
    """One record per cell: the published number, ours over the finished seeds, the difference.

    Accuracies are in %. The difference is that at the best epoch, which papers report.
    """
    return [_compared(cell, workdir) for cell in found]


def text(name: str, scale: str, records: Sequence[Mapping[str, Any]]) -> str:
    """The comparison in Markdown."""
    table = TABLES[name]
    parts = [f"# {_heading(name)}: {table.title}", f"Published: {table.source}."]
    if scale == "cpu":
        parts.append(
            "Scale cpu: short runs of the same bias on smaller data beside the published column "
            "of that bias. Compare the methods of a column with each other, not the numbers."
        )
    for column in dict.fromkeys(record["column"] for record in records):
        group = [record for record in records if record["column"] == column]
        parts.append(f"## {column}")
        parts.append(_column_table(group))
        correlation = rank_correlation(group)
        if correlation is not None:
            parts.append(f"Rank correlation of the methods with the paper: {correlation:.2f}.")
    legend = (
        "Test accuracy in %, mean ± standard deviation over seeds; difference: ours at the best "
        "epoch, which papers report, minus published."
    )
    notes = [table.notes] if table.notes else []
    notes += made_by(version for record in records for version in record["versions"])
    return "\n\n".join([*parts, legend, *notes]) + "\n"


def rank_correlation(records: Sequence[Mapping[str, Any]]) -> float | None:
    """Spearman's correlation of our means at the best epoch with the published means.

    None for fewer than three rows, or if all means of a side are equal.
    """
    pairs = [(r["published"], r["best_epoch"]) for r in records]
    pairs = [pair for pair in pairs if None not in pair]
    if len(pairs) < 3 or any(len(set(values)) < 2 for values in zip(*pairs, strict=True)):
        return None
    from scipy import stats  # imported here: slow

    return float(stats.spearmanr(*zip(*pairs, strict=True)).statistic)


def write(
    folder: Folder, name: str, scale: str, records: Sequence[Mapping[str, Any]]
) -> list[Path]:
    """Writes table<name>_<scale> as .md, .csv and .json; returns the paths."""
    folder.path.mkdir(parents=True, exist_ok=True)
    stem = f"{_heading(name).lower().replace(' ', '')}_{scale}"
    folder.write_text(f"{stem}.md", text(name, scale, records))
    header = [key for key in records[0] if key not in ("runs", "versions")] if records else []
    rows = [[_plain(record[key]) for key in header] for record in records]
    folder.write_csv(f"{stem}.csv", header, rows)
    folder.write_json(f"{stem}.json", {"table": name, "scale": scale, "cells": list(records)})
    return [folder / f"{stem}.{kind}" for kind in ("md", "csv", "json")]


def _compared(cell: Cell, workdir: str | Path) -> dict[str, Any]:
    ending = f"_{cell.row.reading}" if cell.row.reading else ""
    found = [(run, run.results(workdir)) for run in cell.runs]
    # Older runs do not have every reading.
    read = [(run, r) for run, r in found if r is not None and f"best_epoch_accuracy{ending}" in r]
    counted, results = [run for run, _ in read], [result for _, result in read]
    best, best_deviation = _accuracies(results, f"best_epoch_accuracy{ending}")
    last, last_deviation = _accuracies(results, f"last_epoch_accuracy{ending}")
    number = cell.number
    return {
        "column": cell.column.name,
        "published_column": cell.column.published,
        "row": cell.row.label,
        "method": cell.row.method,
        "published": number and number.mean,
        "published_deviation": number and number.deviation,
        "reruns": dict(cell.row.reruns.get(cell.column.published, {})),
        "best_epoch": best,
        "best_epoch_deviation": best_deviation,
        "last_epoch": last,
        "last_epoch_deviation": last_deviation,
        "difference": None if best is None or number is None else best - number.mean,
        "seeds": [run.seed for run in counted],
        "missing_seeds": [run.seed for run in cell.runs if run not in counted],
        "runs": [run.name for run in cell.runs],
        "versions": versions(counted, workdir),
    }


def _accuracies(results: Sequence[Mapping], name: str) -> tuple[float | None, float | None]:
    """Mean and deviation in %."""
    return moments([100 * result[name] for result in results])


def _column_table(group: Sequence[Mapping[str, Any]]) -> str:
    header = ["method", f"published, {group[0]['published_column']}", "ours, best epoch"]
    header += ["difference", "ours, last epoch", "seeds", "missing"]
    rows = [
        [
            record["row"],
            _percent(record, "published"),
            _percent(record, "best_epoch"),
            "" if record["difference"] is None else f"{record['difference']:+.2f}",
            _percent(record, "last_epoch"),
            _plain(record["seeds"]),
            _plain(record["missing_seeds"]),
        ]
        for record in group
    ]
    if any(record["reruns"] for record in group):
        header.insert(2, "re-run by others")
        for row, record in zip(rows, group, strict=True):
            row.insert(2, ", ".join(f"{n:.2f} ({who})" for who, n in record["reruns"].items()))
    return markdown_table(header, rows)


def _percent(record: Mapping[str, Any], name: str) -> str:
    if record[name] is None:
        return ""
    return with_deviation(record[name], record[f"{name}_deviation"], 2)


def _plain(value) -> Any:
    if isinstance(value, Mapping):
        return "; ".join(f"{who}: {number}" for who, number in value.items())
    return " ".join(map(str, value)) if isinstance(value, list) else value


def _heading(name: str) -> str:
    return f"Table {name}"
