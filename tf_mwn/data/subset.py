"""A data source in memory, and a subset of it."""

import dataclasses
from typing import Any

import numpy as np

# The clean label of an input that shows none of the classes: it equals no label.
UNKNOWN_CLASS = -1
# Values of `Subset.altered`.
OWN_INPUT, OPEN_SET, DATA_NOISE = range(3)


@dataclasses.dataclass(frozen=True)
class Subset:
    """Examples with their labels and ids, all of one length N.

    Attributes:
        x: [N, ...] inputs, or `ImageFiles` that are decoded batch by batch.
        label: [N] int64 labels that training sees; they may be noisy.
        clean_label: [N] int64 true labels, or None where they are not known. An input that shows
            none of the classes has the clean label `UNKNOWN_CLASS`, so that its label is wrong.
        sample_id: [N] int64 id of each example: its row in the user's file, or an id of theirs.
        altered: [N] int8 with `OWN_INPUT`, `OPEN_SET` or `DATA_NOISE`; None if no input is altered.
        path: [N] names of the files as bytes, as the user knows them; None without files.
    """

    x: Any
    label: np.ndarray
    clean_label: np.ndarray | None
    sample_id: np.ndarray
    altered: np.ndarray | None = None
    path: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.label)

    def rows(self, rows: np.ndarray) -> "Subset":
        """The examples in these rows."""
        others = (self.clean_label, self.sample_id, self.altered, self.path)
        return Subset(
            self.x[rows],
            self.label[rows],
            *(None if values is None else values[rows] for values in others),
        )


@dataclasses.dataclass(frozen=True)
class Source:
    """A data set before any bias, with its training part in source order.

    Attributes:
        name: the dataset's name or path.
        x: [N, H, W, C] images (in memory or `ImageFiles`) or [N, D] features of the training part.
        y: [N] int64 clean labels, or the only ones there are.
        y_given: [N] int64 labels of a source that holds its own noisy labels; None otherwise.
        sample_id: [N] int64 row of each example in the source.
        x_test: [M, ...] test inputs.
        y_test: [M] int64 test labels.
        test_id: [M] int64 ids of the test examples; none equals a `sample_id`.
        class_names: C names.
        mean: published mean per channel in pixel units, or None. That of tokens is 0, so that they
            stay as they are.
        std: published standard deviation per channel, or None.
        clean_known: whether `y` is known to be clean.
        coarse: [C] int64 superclass of each class, or None.
        meta_pool: separate clean examples, from which the meta set is drawn; None draws it from the
            training part.
        validation: separate examples for the selection of models, or None.
        path: [N] names of the files of the training part, or None; see `Subset`.
        test_path: [M] those of a test part that was split off, or None.
        image: [N] a number for each image, the same for rows of the same image; None if all differ.
        num_rows: rows of the user's file, all parts together; None if ids are not row numbers.
        test_split_off: whether the test part was split off the others, so that its labels are as
            good or as doubtful as theirs.
    """

    name: str
    x: Any
    y: np.ndarray
    y_given: np.ndarray | None
    sample_id: np.ndarray
    x_test: Any
    y_test: np.ndarray
    test_id: np.ndarray
    class_names: tuple[str, ...]
    mean: np.ndarray | None
    std: np.ndarray | None
    clean_known: bool
    coarse: np.ndarray | None = None
    meta_pool: Subset | None = None
    validation: Subset | None = None
    path: np.ndarray | None = None
    test_path: np.ndarray | None = None
    image: np.ndarray | None = None
    num_rows: int | None = None
    test_split_off: bool = False
