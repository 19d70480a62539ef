"""What the name of a data set means. Whatever is on the disk is the user's own data."""

import functools
import glob
import os
import re

from tf_mwn.data.sources.bundled import BUNDLED
from tf_mwn.extras import extra

# Every kind of source, in the words of the help and of the message about an unknown name.
KINDS = (
    f"{', '.join(BUNDLED)}, the name of a TFDS image classification set, or the path of an .npz "
    "file, a CSV file with path,label, a CSV table (with --label_column), a folder with one folder "
    "of images per class, or the folder of Clothing1M"
)
NPZ, CSV, FOLDER, TFDS = "npz", "csv", "folder", "tfds"
_SUFFIXES = {".npz": NPZ, ".csv": CSV}
# name, name/config, name:version or name/config:version
_DEPTHS = ("", "*", os.path.join("*", "*"))  # of the versions of a set that TFDS has prepared
_TFDS_NAME = re.compile(r"[A-Za-z]\w*(/[\w.+-]+)?(:[\w.*]+)?")


def located(dataset: str) -> str:
    """The name that a user gave, as a path if the disk holds it.

    `~` is expanded. A bare name becomes `./name` if it is on the disk, so that it cannot be taken
    for a set of that name.
    """
    path = os.path.expanduser(dataset)
    is_bare = os.sep not in path and os.path.splitext(path)[1].lower() not in _SUFFIXES
    return os.path.join(os.curdir, path) if is_bare and _on_disk(path) else path


def kind_of(dataset: str) -> str:
    """`NPZ`, `CSV`, `FOLDER`, `TFDS` or a name of `BUNDLED`. See `located` for a user's name.

    Raises:
        ValueError: a path that does not exist.
    """
    if dataset in BUNDLED:
        return dataset
    is_bare = os.sep not in dataset
    if is_bare and _is_registered(dataset):
        return TFDS
    path = os.path.expanduser(dataset)
    suffix = os.path.splitext(path)[1].lower()
    if _on_disk(path):
        return FOLDER if os.path.isdir(path) else _SUFFIXES.get(suffix, NPZ)
    if _is_registered(dataset) or (is_bare and _TFDS_NAME.fullmatch(dataset)):
        return TFDS
    what = {".npz": "an .npz file", ".csv": "a CSV file"}.get(suffix, KINDS)
    gone = f"{path}, which does not exist" if path else "''"
    raise ValueError(f"dataset: expected {what}, received {gone}")


def is_own(dataset: str) -> bool:
    """Whether data are the user's own: everything but a set that comes with a package or TFDS."""
    return dataset not in BUNDLED and (_on_disk(dataset) or not _is_registered(dataset))


def short_name(dataset: str) -> str:
    """A name for a folder: the last part of a path, without its suffix."""
    last = os.path.basename(os.path.abspath(os.path.expanduser(dataset)))
    name = re.sub(r"[^\w.-]+", "_", os.path.splitext(last)[0])
    return name.strip("._") or "own_data"


@functools.cache
def registered_names() -> frozenset[str]:
    """The names that TFDS registers."""
    with extra("data"):
        # Imported here: it is slow, and the other sources do without it.
        import tensorflow_datasets as tfds

    return frozenset(tfds.list_builders(with_community_datasets=False))


def _is_registered(dataset: str) -> bool:
    if not _TFDS_NAME.fullmatch(dataset):
        return False
    return re.split("[/:]", dataset)[0] in registered_names()


def _on_disk(path: str) -> bool:
    """Whether a path exists, and is not the folder of a set that TFDS has prepared."""
    if not path or not os.path.exists(path):
        return False
    prepared = (os.path.join(glob.escape(path), below, "dataset_info.json") for below in _DEPTHS)
    return not (os.path.isdir(path) and any(glob.glob(pattern) for pattern in prepared))
