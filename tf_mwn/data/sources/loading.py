"""Data sources by name: a bundled set, an .npz file, images in files, or an image set of TFDS."""

import os

import numpy as np

from tf_mwn.data.images.lists import ImageOptions
from tf_mwn.data.sources.bundled import BUNDLED
from tf_mwn.data.sources.clothing1m import is_clothing1m, load_clothing1m
from tf_mwn.data.sources.csv_list import load_csv
from tf_mwn.data.sources.folder import load_folder
from tf_mwn.data.sources.location import DEFAULT_LOCATION, DataLocation
from tf_mwn.data.sources.source import RawSource, build_source
from tf_mwn.data.subset import Source

__all__ = ["Source", "load", "load_npz"]

_NPZ_KEYS = "x y y_clean y_coarse x_test y_test x_meta y_meta sample_id".split()


def load(
    dataset: str,
    location: DataLocation = DEFAULT_LOCATION,
    *,
    image_size: int | None = None,
    stream: str = "auto",
    train_list: str = "noisy",
) -> Source:
    """Loads a data set: into memory, or as image files that are decoded batch by batch.

    Args:
        dataset: one of `BUNDLED`; the path of an .npz file (see `load_npz`), of a CSV file of
            images (`load_csv`), of a folder with a folder per class (`load_folder`) or of
            Clothing1M (`load_clothing1m`); or the name of an image classification set of
            TensorFlow Datasets.
        location: folders of TFDS sets and of decoded images; by default those of `DataLocation`.
        image_size: side of the square that images in files become; None keeps their size, which
            all must share.
        stream: "on", "off" or "auto"; see `ImageOptions`.
        train_list: which of Clothing1M's lists to train on, "noisy" or "clean".

    Raises:
        TypeError: arrays or labels of a wrong type.
        ValueError: an unknown name, a set that is not prepared, data that cannot be used, or an
            option that this kind of data set does not have.
    """
    options = ImageOptions(image_size, stream, location.cache_dir)
    if dataset not in BUNDLED and (dataset.endswith(".csv") or _is_image_folder(dataset)):
        return _load_files(dataset, options, train_list)
    if image_size is not None or stream == "on":
        option = "stream" if image_size is None else "image_size"
        raise ValueError(f"{option}: expected images in files, received dataset {dataset!r}")
    _check_train_list(dataset, train_list)
    if dataset in BUNDLED:
        return BUNDLED[dataset]()
    if dataset.endswith(".npz") or os.path.isfile(dataset):
        return load_npz(dataset)
    # Imported here: TFDS is slow to import, and the other sources do without it.
    from tf_mwn.data.sources import tfds

    return tfds.load_tfds(dataset, location.data_dir, location.download)


def _load_files(dataset: str, options: ImageOptions, train_list: str) -> Source:
    if os.path.isdir(dataset) and is_clothing1m(dataset):
        return load_clothing1m(dataset, options, train_list)
    _check_train_list(dataset, train_list)
    read = load_folder if os.path.isdir(dataset) else load_csv
    return read(dataset, options)


def _check_train_list(dataset: str, train_list: str) -> None:
    if train_list != "noisy":
        raise ValueError(
            f"train_list: expected noisy, except for Clothing1M, received {train_list} "
            f"with dataset {dataset}"
        )


def _is_image_folder(dataset: str) -> bool:
    """Whether a name is a folder's, and not that of a TFDS set which is in this folder too."""
    if not os.path.isdir(dataset):
        return False
    if os.sep in dataset:
        return True
    from tf_mwn.data.sources import tfds

    return dataset not in tfds.known_names()


def load_npz(path: str) -> Source:
    """Loads a source from an .npz file.

    The file holds `x` ([N, D] features, [N, H, W] or [N, H, W, C] images) and `y` (integers from
    0). Optional: `y_clean`, the true labels, which makes `y` the source's own noisy labels;
    `x_test` and `y_test`, without which a fifth of each class is split off; `x_meta` and `y_meta`,
    clean examples that the meta set is drawn from instead of the training part; `y_coarse`, the
    superclass of each example; `sample_id`.

    Raises:
        TypeError, ValueError: a file that is missing or no such archive, or arrays that cannot be
            used; see `build_source`.
    """
    arrays = _read_npz(path)
    missing = [key for key in ("x", "y") if key not in arrays]
    if missing:
        raise ValueError(
            f"dataset: expected arrays x and y in {path}, received {', '.join(arrays) or 'none'}"
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
        raise ValueError(f"dataset: expected an .npz file, received {path}, which does not exist")
    try:
        archive = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(
            f"dataset: expected an .npz archive, received {path}, which is none"
        ) from error
    except Exception as error:  # zipfile.BadZipFile for a truncated archive
        raise ValueError(
            f"dataset: expected a whole .npz archive, received {path} ({error})"
        ) from error
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise ValueError(
            f"dataset: expected an .npz archive, received {path}, which holds one array"
        )
    with archive:
        return {key: _read_array(archive, key, path) for key in archive.files if key in _NPZ_KEYS}


def _read_array(archive: np.lib.npyio.NpzFile, key: str, path: str) -> np.ndarray:
    try:
        return archive[key]
    except ValueError as error:
        raise TypeError(f"{key}: expected numbers in {path}, received objects") from error
