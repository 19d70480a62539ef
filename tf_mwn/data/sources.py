"""Data sources by name: scikit-learn's digits, an .npz file, or an image set of TFDS."""

import os

import numpy as np

from tf_mwn.data.source_checks import RawSource, build_source
from tf_mwn.data.subset import Source

__all__ = ["Source", "load", "load_digits", "load_npz"]

_NPZ_KEYS = "x y y_clean y_coarse x_test y_test x_meta y_meta sample_id".split()


def load(dataset: str, data_dir: str | None = None, download: bool = False) -> Source:
    """Loads a data set into memory.

    Args:
        dataset: "digits", the path of an .npz file (see `load_npz`), or the name of an image
            classification set of TensorFlow Datasets.
        data_dir: Folder of the prepared TFDS sets; None is TFDS' own default, `$TFDS_DATA_DIR` or
            `~/tensorflow_datasets`.
        download: Whether TFDS may download and prepare a set that is not there.

    Raises:
        TypeError: Arrays or labels of a wrong type.
        ValueError: An unknown name, a set that is not prepared, or data that cannot be used.
    """
    if dataset == "digits":
        return load_digits()
    if dataset.endswith(".npz") or os.path.isfile(dataset):
        return load_npz(dataset)
    # Imported here: TFDS is slow to import, and the other sources do without it.
    from tf_mwn.data import source_tfds

    if os.path.isdir(dataset) and dataset not in source_tfds.known_names():
        content = "a folder" if os.listdir(dataset) else "an empty folder"
        raise ValueError(
            "expected dataset to be digits, an .npz file or a TFDS name (image folders are not "
            f"supported yet), received {content}: {dataset}"
        )
    return source_tfds.load_tfds(dataset, data_dir, download)


def load_digits() -> Source:
    """Loads scikit-learn's 1797 handwritten digits, [N, 8, 8, 1] with values 0 to 16.

    A fifth of each class is the test part, the same in every run.
    """
    from sklearn import datasets

    digits = datasets.load_digits()
    return build_source(RawSource("digits", digits.images.astype(np.uint8), digits.target))


def load_npz(path: str) -> Source:
    """Loads a source from an .npz file.

    The file holds `x` ([N, D] features, [N, H, W] or [N, H, W, C] images) and `y` (integers from
    0). Optional: `y_clean`, the true labels, which makes `y` the source's own noisy labels;
    `x_test` and `y_test`, without which a fifth of each class is split off; `x_meta` and `y_meta`,
    clean examples that the meta set is drawn from instead of the training part; `y_coarse`, the
    superclass of each example; `sample_id`.

    Raises:
        TypeError, ValueError: A file that is missing or no such archive, or arrays that cannot be
            used; see `build_source`.
    """
    arrays = _read_npz(path)
    missing = [key for key in ("x", "y") if key not in arrays]
    if missing:
        raise ValueError(
            f"expected arrays x and y in {path}, received {', '.join(arrays) or 'none'}"
        )
    noisy = "y_clean" in arrays
    raw = RawSource(
        name=path,
        x=arrays["x"],
        y=arrays["y_clean"] if noisy else arrays["y"],
        y_given=arrays["y"] if noisy else None,
        clean_known=noisy,
        **{key: value for key, value in arrays.items() if key not in ("x", "y", "y_clean")},
    )
    return build_source(raw)


def _read_npz(path: str) -> dict[str, np.ndarray]:
    if not os.path.isfile(path):
        raise ValueError(f"expected an .npz file, received {path}, which does not exist")
    try:
        archive = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f"expected an .npz archive, received {path}, which is none") from error
    except Exception as error:  # zipfile.BadZipFile for a truncated archive
        raise ValueError(f"expected a whole .npz archive, received {path} ({error})") from error
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise ValueError(f"expected an .npz archive, received {path}, which holds one array")
    with archive:
        return {key: _read_array(archive, key, path) for key in archive.files if key in _NPZ_KEYS}


def _read_array(archive: np.lib.npyio.NpzFile, key: str, path: str) -> np.ndarray:
    try:
        return archive[key]
    except ValueError as error:
        raise TypeError(f"expected {key} in {path} to hold numbers, received objects") from error
