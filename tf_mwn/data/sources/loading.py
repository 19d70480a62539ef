"""Data sources by name: a bundled set, an .npz file, images in files, or an image set of TFDS."""

from collections.abc import Sequence
from typing import Any

from tf_mwn.data.images.lists import FITTING, ImageOptions
from tf_mwn.data.sources.bundled import BUNDLED
from tf_mwn.data.sources.clothing1m import is_clothing1m, load_clothing1m
from tf_mwn.data.sources.csv_list import load_csv
from tf_mwn.data.sources.folder import load_folder
from tf_mwn.data.sources.location import DEFAULT_LOCATION, DataLocation
from tf_mwn.data.sources.naming import CSV, FOLDER, NPZ, kind_of, located
from tf_mwn.data.sources.npz import read_npz
from tf_mwn.data.sources.source import RawSource, build_source
from tf_mwn.data.sources.table import load_table
from tf_mwn.data.subset import Source

__all__ = ["Source", "load", "read"]


def load(dataset: str, location: DataLocation = DEFAULT_LOCATION, **options: Any) -> Source:
    """Loads a data set: into memory, or as image files that are decoded batch by batch.

    A name that is on the disk is a file or folder, even if a set has the same name.

    Args:
        dataset: one of `BUNDLED`; the path of an .npz file (see `read_npz`), of a CSV file of
            images (`load_csv`) or of features (`load_table`), of a folder with a folder per class
            (`load_folder`) or of Clothing1M (`load_clothing1m`); or the name of an image
            classification set of TensorFlow Datasets, perhaps with a configuration and a version:
            `name/config:1.0.0`.
        location: folders of TFDS sets and of decoded images; by default those of `DataLocation`.
        **options: see `read`.

    Raises:
        TypeError: arrays or labels of a wrong type.
        ValueError: an unknown name, a set that is not prepared, data that cannot be used, or an
            option that this kind of data set does not have.
    """
    return build_source(read(located(dataset), location, **options))


def read(
    dataset: str,
    location: DataLocation = DEFAULT_LOCATION,
    *,
    image_size: int | str | None = None,
    stream: str = "auto",
    train_list: str = "noisy",
    channels: int | None = None,
    label_column: str | None = None,
    columns: Sequence[str] | None = None,
    evaluated: bool = False,
) -> RawSource:
    """Reads the arrays of a data set whose name says what it is; see `located`.

    Args:
        dataset: as for `load`. The name of a set means the set, whatever is on the disk.
        location: as for `load`.
        image_size: side of the square that images in files become; None keeps their size, which
            all must share; `FITTING` chooses, see `ImageOptions`.
        stream: "on", "off" or "auto"; see `ImageOptions`.
        train_list: which of Clothing1M's lists to train on, "noisy" or "clean".
        channels: of images in files: 1 or 3; None keeps what they have.
        label_column: column of the labels, which makes a CSV file a table (see `load_table`)
            instead of a list of images.
        columns: feature columns of a table, in order; None for all.
        evaluated: whether the data need not be fit for training: a folder then may hold one class.

    Raises:
        TypeError, ValueError: as `load`; the arrays themselves are not checked.
    """
    options = ImageOptions(image_size, stream, location.cache_dir, channels=channels)
    kind = kind_of(dataset)
    if kind == FOLDER and is_clothing1m(dataset):
        return load_clothing1m(dataset, options, train_list)
    if train_list != "noisy":
        raise ValueError(
            f"train_list: expected noisy, except for Clothing1M, received {train_list} "
            f"with dataset {dataset}"
        )
    if label_column is not None:
        if kind != CSV:
            raise ValueError(f"label_column: expected a CSV file with it, received {dataset!r}")
        return load_table(dataset, label_column, columns, evaluated)
    if kind in (FOLDER, CSV):
        return (load_folder if kind == FOLDER else load_csv)(dataset, options, evaluated)
    chosen = image_size not in (None, FITTING) and not evaluated
    if chosen or stream == "on":
        option = "image_size" if chosen else "stream"
        raise ValueError(f"{option}: expected images in files, received dataset {dataset!r}")
    if kind in BUNDLED:
        return BUNDLED[kind]()
    if kind == NPZ:
        return read_npz(dataset)
    # Imported here: TFDS is slow to import, and the other sources do without it.
    from tf_mwn.data.sources import tfds

    return tfds.load_tfds(dataset, location.data_dir, location.download)
