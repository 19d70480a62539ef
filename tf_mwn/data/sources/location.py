"""Where data come from."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class DataLocation:
    """The folders that data sets are read from and kept in.

    Attributes:
        data_dir: folder of the prepared TFDS sets; None is TFDS' own default, `$TFDS_DATA_DIR` or
            `~/tensorflow_datasets`.
        download: whether TFDS may download and prepare a missing set.
        cache_dir: folder that keeps decoded images; see `cache_folder`.
    """

    data_dir: str | None = None
    download: bool = False
    cache_dir: str | None = None


DEFAULT_LOCATION = DataLocation()
