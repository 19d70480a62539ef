"""Tables of text and of Markdown, and the numbers in them."""

import io
from collections.abc import Collection, Sequence

import numpy as np

_WIDEST = 1_000_000


def text_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], left: Collection[int] = (0,)
) -> str:
    """A table for a terminal or a pipe: as wide as its cells, never wrapped, without colours.

    Args:
        header: [C] titles, with a rule below.
        rows: [R, C] cells.
        left: indices of the columns to align to the left. Other columns are aligned to the right.

    Returns:
        R + 2 lines without trailing spaces.
    """
    from rich import box, console, table  # imported here: slow, and a listing has no table

    # A box of rich has eight lines. The third one is the rule below the header.
    rule = box.Box("    \n    \n----\n    \n    \n    \n    \n    \n", ascii=True)
    made = table.Table(box=rule, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for number, name in enumerate(header):
        made.add_column(name, justify="left" if number in left else "right", no_wrap=True)
    for row in rows:
        made.add_row(*row)
    # The text must not depend on the terminal: neither on its width nor on its abilities.
    page = console.Console(
        file=io.StringIO(),
        width=_WIDEST,
        height=_WIDEST,
        color_system=None,
        force_terminal=False,
        force_jupyter=False,
        markup=False,
        emoji=False,
        highlight=False,
    )
    page.print(made)
    return "\n".join(line.rstrip() for line in page.file.getvalue().splitlines())


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table of the rows [R, C] below the header [C]."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def moments(values: Sequence[float]) -> tuple[float | None, float | None]:
    """The mean (None without values) and sample standard deviation (None below two values)."""
    mean = float(np.mean(values)) if len(values) else None
    return mean, float(np.std(values, ddof=1)) if len(values) > 1 else None


def number(value: float | None, form: str = ".1f") -> str:
    """`value` in the format `form`; a dash for None."""
    return "-" if value is None else format(value, form)


def with_deviation(mean: float | None, deviation: float | None, digits: int = 1) -> str:
    """ "mean ± deviation"; the mean alone if the deviation is None, a dash if both are None."""
    form = f".{digits}f"
    return number(mean, form) + ("" if deviation is None else f" ± {deviation:{form}}")


def mean_and_deviation(values: Sequence[float], digits: int = 1) -> str:
    """ "mean ± sample standard deviation"; the mean alone for one value, a dash for none."""
    return with_deviation(*moments(values), digits)
