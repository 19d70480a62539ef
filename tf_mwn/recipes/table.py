"""A table of test accuracies: published numbers, those of re-runs, and what repeats them."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from tf_mwn.tables import with_deviation


@dataclasses.dataclass(frozen=True)
class Number:
    """An accuracy in %; the deviation is None where none is given."""

    mean: float
    deviation: float | None = None

    def __str__(self):
        return with_deviation(self.mean, self.deviation, 2)


@dataclasses.dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        label: the name of the row in the table, or of the method. Rows of the same label share no
            column.
        method: name of the method in the registry.
        settings: those that distinguish the row from other rows of the same method.
        numbers: by column; None where nothing is published of a row that belongs to the column.
            The row has no cell in the columns that are left out.
        reruns: by column, the accuracies in % that others reached, by who they are.
        recipe: name of the recipe where it is not the column's.
        reading: which reading of the test predictions is meant where a run has several; see
            `RobustModel.other_readings`.
    """

    label: str
    method: str
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    numbers: Mapping[str, Number | None] = dataclasses.field(default_factory=dict)
    reruns: Mapping[str, Mapping[str, float]] = dataclasses.field(default_factory=dict)
    recipe: str | None = None
    reading: str = ""

    def rerun(self, column: str) -> str:
        """The re-runs of a cell as text; empty if there are none."""
        return ", ".join(f"{n:.2f} ({who})" for who, n in self.reruns.get(column, {}).items())


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of accuracies.

    Attributes:
        title: one line.
        source: author, venue, year and link.
        recipes: by column, the name of the recipe with the paper's settings. A column is called
            "<data set>_<bias>_<imbalance factor or noise rate in %>".
        rows: in order.
        order: (column, label) of the cells, in the order in which a budget of time takes them.
            Empty for column by column.
        notes: what the labels mean, in sentences.
    """

    title: str
    source: str
    recipes: Mapping[str, str]
    rows: tuple[Row, ...]
    order: Sequence[tuple[str, str]] = ()
    notes: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns in order."""
        return tuple(self.recipes)

    def row(self, label: str, column: str) -> Row:
        """The row of a cell.

        Raises:
            KeyError: the table has no such cell.
        """
        for row in self.rows:
            if row.label == label and column in row.numbers:
                return row
        raise KeyError((label, column))

    def number(self, label: str, column: str) -> Number | None:
        """The number of a cell.

        Raises:
            KeyError: the table has no such cell.
        """
        return self.row(label, column).numbers[column]
