"""Tables: their layout, and the numbers in them."""

import pytest

from tf_mwn.tables import markdown_table, mean_and_deviation, text_table


def test_a_table_is_as_wide_as_its_cells_wherever_it_is_shown(monkeypatch):
    rows = [["[bold]a :smile:", "1.5", "x"], ["飞机", "-", "y" * 300]]
    text = text_table(["method", "long header", "to the left"], rows, left=(0, 2))
    assert text.splitlines() == [
        "method           long header  to the left",
        "-" * (15 + 2 + 11 + 2 + 300),
        "[bold]a :smile:          1.5  x",
        "飞机                       -  " + "y" * 300,
    ]
    for name, value in {"COLUMNS": "20", "FORCE_COLOR": "1", "TERM": "dumb"}.items():
        monkeypatch.setenv(name, value)
    assert text_table(["method", "long header", "to the left"], rows, left=(0, 2)) == text


def test_a_markdown_table():
    assert markdown_table(["", "b"], [["1", "2"]]) == "|  | b |\n| --- | --- |\n| 1 | 2 |"


@pytest.mark.parametrize(
    "values, text", [([], "-"), ([76.04], "76.0"), ([70, 80], "75.0 ± 7.1"), ([1, 1], "1.0 ± 0.0")]
)
def test_mean_and_sample_deviation(values, text):
    assert mean_and_deviation(values) == text
