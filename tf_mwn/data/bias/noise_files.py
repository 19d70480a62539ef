"""Files that describe label noise: a transition matrix, and class probabilities per example."""

import warnings

import numpy as np

from tf_mwn.checks import check_file, check_transition_matrix
from tf_mwn.data.arrays import read_npy, read_npz
from tf_mwn.data.bias.label_file import of_training_part, rows_of_ids
from tf_mwn.data.bias.noise import TOLERANCE
from tf_mwn.data.subset import Source


def read_matrix(path: str, num_classes: int) -> np.ndarray:
    """Reads a transition matrix.

    Args:
        path: `.npy` with a [C, C] array, or `.csv` with C lines of C numbers and no header.
        num_classes: number of classes C.

    Returns:
        [C, C] float64; each row sums to 1.

    Raises:
        TypeError: an array that holds no numbers.
        ValueError: a missing or unreadable file, another shape, or rows that do not sum to 1.
    """
    matrix = _numbers("noise_matrix", path, (".npy", ".csv"))
    if matrix.shape != (num_classes, num_classes):
        raise ValueError(
            f"noise_matrix: expected shape {[num_classes, num_classes]} in {path}, "
            f"received {list(matrix.shape)}"
        )
    return check_transition_matrix(matrix, f"noise_matrix {path}", TOLERANCE)


def read_probabilities(path: str, source: Source) -> np.ndarray:
    """Reads class probabilities, for example the softmax of a model trained on clean labels.

    Args:
        path: `.npz` with the arrays `sample_id` [N] and `probability` [N, C]; or `.npy` with
            [N, C] in source order. Rows of the test part may be among them, and are not used.
        source: the source, of C classes.

    Returns:
        [N, C] float64 in the order of the source's training part; each row sums to 1.

    Raises:
        TypeError: an array that holds no numbers.
        ValueError: a missing or unreadable file, ids that are unknown, missing or doubled, another
            shape, or rows that are no distributions.
    """
    num_classes = len(source.class_names)
    if path.lower().endswith(".npz"):
        check_file("noise_probabilities", path, (".npz",))
        arrays = read_npz("noise_probabilities", path, ("sample_id", "probability"))
        ids, probabilities = arrays["sample_id"], arrays["probability"]
        others = source.sample_id, source.test_id
        rows = rows_of_ids("noise_probabilities", path, ids, *others)
        return _distributions(path, probabilities, len(ids), num_classes)[rows]
    probabilities = _numbers("noise_probabilities", path, (".npy", ".npz"))
    if probabilities.ndim:
        probabilities = of_training_part(probabilities, source)
    return _distributions(path, probabilities, len(source.sample_id), num_classes)


def _numbers(option: str, path: str, suffixes: tuple[str, ...]) -> np.ndarray:
    suffix = check_file(option, path, suffixes)
    array = _read_csv(option, path) if suffix == ".csv" else read_npy(option, path)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{option}: expected numbers in {path}, received an array of {array.dtype}")
    return array.astype(np.float64)


def _read_csv(option: str, path: str) -> np.ndarray:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an empty file, which has no rows
            return np.loadtxt(path, delimiter=",", ndmin=2, encoding="utf-8-sig")
    except (ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split()).rstrip(".;")[:200]
        raise ValueError(
            f"{option}: expected rows of numbers in {path}, received {reason}"
        ) from error


def _distributions(path: str, array: np.ndarray, size: int, num_classes: int) -> np.ndarray:
    """Returns probabilities as float64 whose rows sum to 1 up to rounding."""
    if array.shape != (size, num_classes):
        raise ValueError(
            f"noise_probabilities: expected shape {[size, num_classes]} in {path}, "
            f"received {list(array.shape)}"
        )
    array = array.astype(np.float64)
    sums = array.sum(axis=1, keepdims=True)
    fine = np.all(array >= 0.0, axis=1) & np.isclose(sums[:, 0], 1.0, rtol=0.0, atol=1e-3)
    if not fine.all():
        row = int(np.argmin(fine))
        raise ValueError(
            f"noise_probabilities: expected non-negative rows that each sum to 1 in {path}, "
            f"received {np.round(array[row][:5], 4).tolist()} in row {row}"
        )
    return array / sums
