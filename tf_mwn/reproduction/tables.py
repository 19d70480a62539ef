"""Published tables as sets of runs, and our numbers beside the published ones.

At scale "paper" a column is the recipe with the paper's settings. At scale "cpu" it is a short
run with the same bias on smaller data. Its numbers are not those of the paper, but its methods can
be compared with each other.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tf_mwn.checks import unknown_name
from tf_mwn.files import Folder
from tf_mwn.recipes import published
from tf_mwn.reproduction.planned_runs import PlannedRun, decided, settings_for
from tf_mwn.runs.run import FINISHED
from tf_mwn.tables import markdown_table, moments, with_deviation

SCALES = ("paper", "cpu")


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of a table as an experiment.

    Attributes:
        name: of the experiment.
        published: the column of the published table.
        recipe, settings: the experiment.
        needs_set: whether its data come from TensorFlow Datasets.
    """

    name: str
    published: str
    recipe: str
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    needs_set: bool = False


@dataclasses.dataclass(frozen=True)
class Cell:
    """One number of a published table, and the runs that repeat it."""

    column: Column
    row: published.Row
    runs: tuple[PlannedRun, ...]

    @property
    def number(self) -> published.Number:
        return self.row.numbers[self.column.published]


def cells(
    name: str,
    scale: str,
    seeds: Sequence[int],
    common: Mapping[str, Any] | None = None,
    with_sets: bool = True,
    methods: Sequence[str] = (),
    columns: Sequence[str] = (),
) -> list[Cell]:
    """The cells of a table that can be repeated, column by column.

    Args:
        name: of the table.
        scale: one of `SCALES`.
        seeds: of every cell.
        common: settings of all runs whose column or row does not decide them.
        with_sets: whether the data of TensorFlow Datasets are available. If not, scale "cpu" uses
            the digits only.
        methods, columns: those wanted, by name; all if there are none. A column is also known by
            the name of the published one.

    Raises:
        ValueError: the table is not known, has no version at this scale, or no such method or
            column.
        ValueError, TypeError: as `recipes.experiment.resolve`.
    """
    if name not in published.TABLES:
        raise ValueError(unknown_name("table", name, published.TABLES))
    table, found = published.TABLES[name], []
    if scale == "cpu" and name not in _SMALL:
        raise ValueError(f"table: expected {', '.join(_SMALL)} with --scale=cpu, received {name}")
    every = _paper(name, table) if scale == "paper" else _SMALL[name]
    _check_chosen("only", methods, [row.method for row in table.rows])
    _check_chosen("columns", columns, [n for c in every for n in (c.name, c.published)])
    for column in every:
        if columns and not {column.name, column.published} & set(columns):
            continue
        for row in table.rows:
            if methods and row.method not in methods:
                continue
            if column.published in row.numbers and (with_sets or not column.needs_set):
                own = {**decided(column.recipe, column.settings), **row.settings}
                settings = settings_for(row.method, common or {}, own)
                runs = [PlannedRun.make(column.recipe, settings, row.method, s) for s in seeds]
                found.append(Cell(column, row, tuple(runs)))
    return found


def _check_chosen(name: str, chosen: Sequence[str], known: Sequence[str]) -> None:
    for value in chosen:
        if value not in known:
            raise ValueError(unknown_name(name, value, list(dict.fromkeys(known))))


def compare(found: Sequence[Cell], workdir: str | Path) -> list[dict[str, Any]]:
    """One record per cell: the published number, ours over the finished seeds, the difference.

    Accuracies are in %. The difference is that at the best epoch, which papers report.
    """
    return [_compared(cell, workdir) for cell in found]


def text(name: str, scale: str, records: Sequence[Mapping[str, Any]]) -> str:
    """The comparison in Markdown."""
    table = published.TABLES[name]
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
    return "\n\n".join([*parts, legend]) + "\n"


def rank_correlation(records: Sequence[Mapping[str, Any]]) -> float | None:
    """Spearman's correlation of our means at the best epoch with the published means.

    None for fewer than three rows, or if all means of a side are equal.
    """
    pairs = [(r["published"], r["best_epoch"]) for r in records if r["best_epoch"] is not None]
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
    header = [key for key in records[0] if key != "runs"] if records else []
    rows = [[_plain(record[key]) for key in header] for record in records]
    folder.write_csv(f"{stem}.csv", header, rows)
    folder.write_json(f"{stem}.json", {"table": name, "scale": scale, "cells": list(records)})
    return [folder / f"{stem}.{kind}" for kind in ("md", "csv", "json")]


def _compared(cell: Cell, workdir: str | Path) -> dict[str, Any]:
    finished = [run for run in cell.runs if run.state(workdir) == FINISHED]
    results = [run.run(workdir).results for run in finished]
    best, best_deviation = moments([100 * result["best_epoch_accuracy"] for result in results])
    last, last_deviation = moments([100 * result["last_epoch_accuracy"] for result in results])
    return {
        "column": cell.column.name,
        "published_column": cell.column.published,
        "row": cell.row.label,
        "method": cell.row.method,
        "published": cell.number.mean,
        "published_deviation": cell.number.deviation,
        "best_epoch": best,
        "best_epoch_deviation": best_deviation,
        "last_epoch": last,
        "last_epoch_deviation": last_deviation,
        "difference": None if best is None else best - cell.number.mean,
        "seeds": [run.seed for run in finished],
        "missing_seeds": [run.seed for run in cell.runs if run not in finished],
        "runs": [run.name for run in cell.runs],
    }


def _column_table(group: Sequence[Mapping[str, Any]]) -> str:
    header = ("method", f"published, {group[0]['published_column']}", "ours, best epoch")
    header += ("difference", "ours, last epoch", "seeds", "missing")
    rows = [
        [
            record["row"],
            str(published.Number(record["published"], record["published_deviation"])),
            _ours(record, "best_epoch"),
            "" if record["difference"] is None else f"{record['difference']:+.2f}",
            _ours(record, "last_epoch"),
            _plain(record["seeds"]),
            _plain(record["missing_seeds"]),
        ]
        for record in group
    ]
    return markdown_table(header, rows)


def _ours(record: Mapping[str, Any], name: str) -> str:
    if record[name] is None:
        return ""
    return with_deviation(record[name], record[f"{name}_deviation"], 2)


def _plain(value) -> Any:
    return " ".join(map(str, value)) if isinstance(value, list) else value


def _heading(name: str) -> str:
    return f"Table {name}"


def _paper(name: str, table: published.Table) -> list[Column]:
    """The columns at the paper's scale."""
    if name == "arl":
        return [_arl(column) for column in table.columns]
    return [Column(column, column, table.recipe.format(column=column)) for column in table.columns]


def _arl(column: str) -> Column:
    """There are recipes for CIFAR-10 with symmetric noise; other columns change the first one."""
    dataset, noise, percentage = column.split("_")
    if (dataset, noise) == ("cifar10", "symmetric") and percentage != "0":
        return Column(column, column, f"arl_{column}")
    settings = {"dataset": dataset, "noise": noise, "noise_rate": int(percentage) / 100}
    return Column(column, column, "arl_cifar10_symmetric_20", settings)


def _digits(published_column: str, noise: str, percentage: int) -> Column:
    settings = {"noise": noise, "noise_rate": percentage / 100}
    return Column(f"digits_{noise}_{percentage}", published_column, "quickstart", settings)


def _digits_long_tail(factor: int, published_column: str) -> Column:
    settings = {"noise": "none", "noise_rate": 0.0, "imbalance_factor": float(factor)}
    return Column(f"digits_longtail_{factor}", published_column, "quickstart", settings)


def _of_set(recipe: str, published_column: str) -> Column:
    return Column(recipe, published_column, recipe, needs_set=True)


_SMALL: dict[str, tuple[Column, ...]] = {
    "1": (
        *(_digits_long_tail(factor, f"cifar10_longtail_{factor}") for factor in (20, 10)),
        _of_set("fashion_longtail_100", "cifar10_longtail_100"),
        _of_set("cifar10_small_longtail_100", "cifar10_longtail_100"),
    ),
    "2": (
        *(_digits(f"cifar10_uniform_{rate}", "uniform", rate) for rate in (0, 40, 60)),
        _of_set("fashion_uniform_60", "cifar10_uniform_60"),
    ),
    "3": (
        *(_digits(f"cifar10_flip2_{rate}", "flip2", rate) for rate in (0, 20, 40)),
        _of_set("fashion_flip2_40", "cifar10_flip2_40"),
        _of_set("cifar10_small_flip2_40", "cifar10_flip2_40"),
    ),
    "ablation": (
        _digits_long_tail(20, "cifar10_longtail_100"),
        _digits("cifar10_uniform_40", "uniform", 40),
        _digits("cifar10_flip2_40", "flip2", 40),
    ),
    "arl": tuple(
        _digits(f"cifar10_symmetric_{rate}", "symmetric", rate) for rate in (0, 20, 40, 60)
    ),
}
