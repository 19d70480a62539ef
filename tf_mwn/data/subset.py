"""What the data layer holds in memory: a source, and one part of it."""

import dataclasses

import numpy as np

# The clean label of an input that shows none of the classes: it equals no label.
UNKNOWN_CLASS = -1


@dataclasses.dataclass(frozen=True)
class Subset:
    """Examples with their labels and ids, all of one length N.

    Attributes:
        x: [N, ...] inputs.
        label: [N] int64 labels that training sees; they may be noisy.
        clean_label: [N] int64 true labels, or None where they are not known.
        sample_id: [N] int64 row of each example in its source.
    """

    x: np.ndarray
    label: np.ndarray
    clean_label: np.ndarray | None
    sample_id: np.ndarray

    def __len__(self) -> int:
        return len(self.label)


@dataclasses.dataclass(frozen=True)
class Source:
    """A data set as it comes, before any bias, with its training part in source order.

    Attributes:
        name: The dataset's name or path.
        x: [N, H, W, C] images or [N, D] features of the training part.
        y: [N] int64 clean labels, or the only ones there are.
        y_given: [N] int64 labels of a source that holds its own noisy labels; None otherwise.
        sample_id: [N] int64 row of each example in the source.
        x_test: [M, ...] test inputs.
        y_test: [M] int64 test labels.
        test_id: [M] int64 ids of the test examples, apart from every `sample_id`.
        class_names: C names.
        mean: Published mean per channel in pixel units, or None.
        std: Published standard deviation per channel, or None.
        clean_known: Whether `y` is known to be clean.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    y_given: np.ndarray | None
    sample_id: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    test_id: np.ndarray
    class_names: tuple[str, ...]
    mean: np.ndarray | None
    std: np.ndarray | None
    clean_known: bool
