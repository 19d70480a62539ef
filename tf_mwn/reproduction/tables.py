"""Published tables as sets of runs.

At scale "paper" a column is the recipe with the paper's settings. At scale "cpu" it is a short
run with the same bias on smaller data. Its numbers are not those of the paper, but its methods can
be compared with each other.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from tf_mwn.checks import unknown_name
from tf_mwn.recipes import published
from tf_mwn.recipes.controls import CONTROLS
from tf_mwn.recipes.experiment import find
from tf_mwn.recipes.table import Number, Row, Table
from tf_mwn.reproduction.planned_runs import PlannedRun, decided, settings_for

SCALES = ("paper", "cpu")
TABLES: Mapping[str, Table] = {**published.TABLES, "controls": CONTROLS}


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
    row: Row
    runs: tuple[PlannedRun, ...]

    @property
    def number(self) -> Number | None:
        return self.row.numbers[self.column.published]


def every_table(scale: str, has_dataset: bool) -> list[str]:
    """The tables that can be repeated at a scale; with data of the user's own, or without."""
    if scale == "cpu":
        return list(_SMALL)
    return [
        name
        for name, table in TABLES.items()
        if has_dataset or not any(find(c.recipe).files for c in _paper(name, table))
    ]


def cells(
    name: str,
    scale: str,
    seeds: Sequence[int],
    common: Mapping[str, Any] | None = None,
    with_sets: bool = True,
    methods: Sequence[str] = (),
    columns: Sequence[str] = (),
    label_file: str | None = None,
) -> list[Cell]:
    """The cells of a table that can be repeated, in the table's order, or column by column.

    Args:
        name: of the table.
        scale: one of `SCALES`.
        seeds: of every cell.
        common: settings of all runs whose column or row does not decide them.
        with_sets: whether the data of TensorFlow Datasets are available. If not, scale "cpu" uses
            the digits only.
        methods, columns: those wanted, by name; all if there are none. A row is known by its label,
            several by a method that is no label. A column is also known by the name of the
            published one.
        label_file: the folder of the lists of labels, or one list, for the recipes that need one.
            Their cells are left out without it, and with a list of another name.

    Raises:
        ValueError: the table is not known, has no version at this scale, or no such method or
            column.
        ValueError, TypeError: as `recipes.experiment.resolve`.
    """
    table, kept = _chosen(name, scale, methods, columns)
    if scale == "paper" and table.order:
        rank = {cell: i for i, cell in enumerate(table.order)}
        kept.sort(key=lambda cell: rank[cell[0].published, cell[1].label])
    found = [
        _cell(column, row, seeds, common or {}, label_file)
        for column, row in kept
        if with_sets or not column.needs_set
    ]
    return [cell for cell in found if cell is not None]


def refuse_empty(
    name: str,
    scale: str,
    with_sets: bool = True,
    methods: Sequence[str] = (),
    columns: Sequence[str] = (),
    label_file: str | None = None,
) -> NoReturn:
    """Says what is missing where `cells` finds none; arguments as there.

    Raises:
        ValueError: always.
    """
    _, kept = _chosen(name, scale, methods, columns)
    if not kept:
        wanted = f"a column of table {name} that has a row of {', '.join(methods)}"
        raise ValueError(f"columns: expected {wanted}, received {', '.join(columns)}")
    if not with_sets and all(column.needs_set for column, _ in kept):
        names = ", ".join(dict.fromkeys(column.name for column, _ in kept))
        raise ValueError(f"data_dir: expected --data_dir or --download for {names}, received none")
    raise ValueError(
        "label_file: expected the folder of the lists of labels that every run chosen of table "
        f"{name} needs, received {label_file or 'none'}"
    )


def _chosen(
    name: str, scale: str, methods: Sequence[str], columns: Sequence[str]
) -> tuple[Table, list[tuple[Column, Row]]]:
    """The table and its cells of those methods and columns, whatever data they need."""
    if name not in TABLES:
        raise ValueError(unknown_name("table", name, TABLES))
    table = TABLES[name]
    if scale == "cpu" and name not in _SMALL:
        raise ValueError(f"table: expected {', '.join(_SMALL)} with --scale=cpu, received {name}")
    every = _paper(name, table) if scale == "paper" else _SMALL[name]
    _check_chosen("only", methods, [n for row in table.rows for n in (row.label, row.method)])
    _check_chosen("columns", columns, [n for c in every for n in (c.name, c.published)])
    return table, [
        (column, row)
        for column in every
        for row in table.rows
        if column.published in row.numbers
        and (not columns or {column.name, column.published} & set(columns))
        and (not methods or _is_wanted(row, table, methods))
    ]


def _is_wanted(row: Row, table: Table, names: Sequence[str]) -> bool:
    """Whether a row is named by its label, or by a method that is not itself a label."""
    labels = {other.label for other in table.rows}
    return row.label in names or (row.method in names and row.method not in labels)


def _cell(
    column: Column,
    row: Row,
    seeds: Sequence[int],
    common: Mapping[str, Any],
    label_file: str | None,
) -> Cell | None:
    """The runs of a row in a column; None without the list of labels that they need."""
    recipe = row.recipe or column.recipe
    own = {**decided(recipe, column.settings), **row.settings}
    if find(recipe).label_list:
        if label_file is None or not holds(label_file, find(recipe).label_list):
            return None
        own["label_file"] = label_file
    settings = settings_for(row.method, common, own)
    runs = [PlannedRun.make(recipe, settings, row.method, seed) for seed in seeds]
    return Cell(column, row, tuple(runs))


def holds(label_file: str, name: str) -> bool:
    """Whether a file is the list of this name; a folder is expected to hold every list."""
    path = Path(label_file).expanduser()
    return path.is_dir() or path.stem == name


def _check_chosen(name: str, chosen: Sequence[str], known: Sequence[str]) -> None:
    for value in chosen:
        if value not in known:
            raise ValueError(unknown_name(name, value, list(dict.fromkeys(known))))


def _paper(name: str, table: Table) -> list[Column]:
    """The columns at the paper's scale."""
    if name == "arl":
        return [_arl(column) for column in table.columns]
    return [Column(column, column, recipe) for column, recipe in table.recipes.items()]


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
