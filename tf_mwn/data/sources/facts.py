"""What settings of a run may follow: facts of a user's data."""

import dataclasses

import numpy as np

from tf_mwn.checks import check_labels
from tf_mwn.data.images.lists import FITTING
from tf_mwn.data.sources.clean_set import read_clean, with_clean_set
from tf_mwn.data.sources.loading import read
from tf_mwn.data.sources.location import DEFAULT_LOCATION, DataLocation
from tf_mwn.data.sources.source import TEST_FRACTION, check_inputs
from tf_mwn.data.sources.tokens import vocabulary

IMAGES, TABLE, TOKENS = "images", "table", "tokens"


@dataclasses.dataclass(frozen=True)
class DataFacts:
    """Facts of a data set.

    Attributes:
        kind: `IMAGES`, `TABLE` or `TOKENS`.
        shape: of one input.
        image_size: side in pixels that images in files become; None where they keep their size,
            and for other inputs.
        size: number of training examples, without a fifth that is held out where there is no test
            part.
        classes: number of classes.
        vocabulary: of tokens: the largest number, plus 1.
        clean_counts: number of clean examples of each class, apart from the training ones; empty
            without any.
        clean_known: whether the true labels of the training examples are known too.
    """

    kind: str
    shape: tuple[int, ...]
    image_size: int | None
    size: int
    classes: int
    vocabulary: int | None
    clean_counts: tuple[int, ...]
    clean_known: bool


def clean_counts(
    meta: str, location: DataLocation = DEFAULT_LOCATION, label_column: str | None = None
) -> tuple[int, ...]:
    """The number of clean examples in each class, of a set apart from a data set that has a name.

    Args:
        meta: as `with_clean_set` takes it.
        location, label_column: as for `look`.

    Raises:
        TypeError, ValueError, OSError: as `with_clean_set`.
    """
    labels = [y for _, _, y in read_clean(meta, location, label_column=label_column).examples()]
    return tuple(np.bincount(check_labels("y_meta", np.concatenate(labels))).tolist())


def look(
    dataset: str,
    location: DataLocation = DEFAULT_LOCATION,
    *,
    meta: str | None = None,
    image_size: int | None = None,
    label_column: str | None = None,
    train_list: str = "noisy",
) -> DataFacts:
    """Reads a data set for its facts. Images in files are examined, but not kept.

    Args:
        dataset, location, label_column, train_list: as `read` takes them.
        meta: as `with_clean_set` takes it; None without.
        image_size: None follows the images.

    Raises:
        TypeError, ValueError: data that cannot be read.
        OSError: a file cannot be read.
    """
    options = {"label_column": label_column, "train_list": train_list}
    raw = read(dataset, location, image_size=image_size or FITTING, **options)
    if meta is not None:
        raw = with_clean_set(raw, meta, location, label_column)
    shape = tuple(check_inputs("x", raw.x).shape[1:])
    kind = TOKENS if raw.is_tokens else TABLE if len(shape) == 1 else IMAGES
    labels = check_labels("y" if raw.y_given is None else "y_clean", raw.y)
    clean = labels[:0] if raw.y_meta is None else check_labels("y_meta", raw.y_meta)
    classes, size = 1 + int(max(labels.max(), clean.max(initial=0))), len(labels)
    return DataFacts(
        kind,
        shape,
        shape[0] if raw.path is not None and shape[0] == shape[1] else None,
        size if raw.y_test is not None else size - round(TEST_FRACTION * size),
        classes,
        vocabulary(raw.x, raw.x_test, raw.x_meta) if raw.is_tokens else None,
        tuple(np.bincount(clean, minlength=classes).tolist()) if len(clean) else (),
        raw.clean_known,
    )
