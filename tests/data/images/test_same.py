"""Which images are the same, by content and by file."""

import numpy as np
import pytest

from tests.data.images.image_fixtures import IMAGES, save
from tf_mwn.data.images.decoding import ImageFormat
from tf_mwn.data.images.files import ImageFiles
from tf_mwn.data.images.same import copies, same_images, warn_of_shared_examples


def test_same_images_by_hand(tmp_path):
    assert same_images(IMAGES) is None
    rows = [3, 1, 3, 0, 1, 3]
    np.testing.assert_array_equal(same_images(IMAGES[rows]), [0, 1, 0, 3, 1, 0])
    # Contents that differ in zeros alone.
    assert same_images(np.array([0, 1], np.uint8).reshape(2, 1, 1, 1)) is None
    paths = [save(tmp_path / f"{row}.png", IMAGES[0]) for row in range(2)]
    (tmp_path / "2.png").hardlink_to(paths[0])
    (tmp_path / "3.png").symlink_to(paths[1])
    names = np.array([bytes(tmp_path / f"{row}.png") for row in range(4)])
    files = ImageFiles(names, ImageFormat(6, 5), np.zeros(4, np.uint64))
    np.testing.assert_array_equal(same_images(files), [0, 1, 0, 1])


def test_rows_of_a_table_with_few_values_are_no_copies_of_each_other(caplog):
    """5 of 20 rows are there twice: of these nothing can be told, of the others it can."""
    x = np.arange(40).reshape(20, 2)
    x[15:] = x[:5]
    clean = x[[3, 4, 7, 8, 9]]
    np.testing.assert_array_equal(np.flatnonzero(copies("t", "meta", clean, x)), [7, 8, 9])
    assert "t: 3 training examples are meta examples too" in caplog.text
    assert "t: 4 training examples have the values of meta examples, but also" in caplog.text
    caplog.clear()
    assert copies("t", "meta", np.arange(10).reshape(5, 2), np.arange(40).reshape(20, 2)).sum() == 5
    assert "they stay" not in caplog.text  # all rows differ
    np.testing.assert_array_equal(
        np.flatnonzero(copies("t", "meta", IMAGES[:2], IMAGES[[0, 0, 5, 1]])), [0, 1, 3]
    )


@pytest.mark.parametrize("kind", ["images", "rows", "files"])
def test_clean_examples_that_are_test_examples_too(tmp_path, caplog, kind):
    x = IMAGES if kind != "rows" else np.arange(60).reshape(30, 2)

    def part(name, rows):
        if kind != "files":
            return x[rows]
        paths = [save(tmp_path / name / f"{row}.png", IMAGES[row]) for row in rows]
        return ImageFiles(np.array([*map(bytes, paths)]), ImageFormat(6, 5), np.arange(len(rows)))

    rows = {"train": [*range(10)], "test": [10, 11, 12, 13], "meta": [3, 11, 12, 20]}
    parts = {name: part(name, held) for name, held in rows.items()}
    warn_of_shared_examples("s", parts | {"validation": part("validation", [20, 21])})
    word = "rows" if kind == "rows" else "images"
    assert [record.getMessage() for record in caplog.records] == [
        f"s: 2 of the 4 meta {word} are test {word} too",
        f"s: 1 of the 2 validation {word} are meta {word} too",
    ]


def test_equal_rows_of_a_table_with_few_values_are_worth_no_line(caplog):
    x = np.arange(30)[:, None] % 3
    warn_of_shared_examples("s", {"train": x, "test": x[:9], "meta": x[:3]})
    assert not caplog.records
