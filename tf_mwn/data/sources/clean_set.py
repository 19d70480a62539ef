"""A data set with clean examples that lie elsewhere."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from tf_mwn.checks import check_labels
from tf_mwn.data.images.decoding import check_scale, fit_images
from tf_mwn.data.images.files import ImageFiles, joined
from tf_mwn.data.images.lists import FITTING
from tf_mwn.data.sources.loading import read
from tf_mwn.data.sources.location import DataLocation
from tf_mwn.data.sources.naming import located
from tf_mwn.data.sources.source import RawSource, check_inputs
from tf_mwn.data.sources.tokens import of_length


def with_clean_set(
    raw: RawSource, path: str, location: DataLocation, label_column: str | None = None
) -> RawSource:
    """A source with the examples of another one, all of them, as clean ones beside its own.

    Classes are matched by name, or by number where neither source has names. Those that only the
    clean examples have are numbered behind the others.

    Args:
        raw: the source.
        path: a folder, a CSV file or an .npz file, as `read` takes them. Its parts do not matter.
            Images become those of `raw` in size and channels, sequences of tokens in length.
        location: as for `read`.
        label_column: of tables: the column of the labels.

    Raises:
        TypeError, ValueError: examples that do not fit the source.
        OSError: a file cannot be read.
    """
    shape = tuple(raw.x.shape[1:]) if isinstance(raw.x, ImageFiles) else np.shape(raw.x)[1:]
    shape = (*shape, 1) if len(shape) == 2 else shape  # images without an axis of channels
    clean = read_clean(
        path,
        location,
        image_size=shape[0] if len(shape) == 3 and shape[0] == shape[1] else None,
        channels=shape[-1] if len(shape) == 3 else None,
        stream="on" if isinstance(raw.x, ImageFiles) else "off",
        label_column=label_column if raw.columns else None,
        columns=raw.columns,
    )
    inputs, labels = zip(*((x, y) for _, x, y in clean.examples()), strict=True)
    y, names = _matched(np.concatenate(labels), clean.class_names, raw)
    inputs = [_fitted(x, raw, shape, clean.is_tokens) for x in inputs]
    if raw.x_meta is not None:
        inputs, y = [check_inputs("x_meta", raw.x_meta), *inputs], np.concatenate([raw.y_meta, y])
    ids = {name: held for name, held in raw.ids.items() if name != "meta"}
    return dataclasses.replace(raw, x_meta=joined(inputs), y_meta=y, class_names=names, ids=ids)


def read_clean(path: str, location: DataLocation, **options: Any) -> RawSource:
    """Reads clean examples, whatever their parts.

    Args:
        path: as `with_clean_set` takes it.
        location: as for `read`.
        **options: of `read`; images that differ in size become squares by default.

    Raises:
        TypeError, ValueError: as `read`, in the name of the option `meta`.
        OSError: a file cannot be read.
    """
    try:
        return read(located(path), location, **{"image_size": FITTING, **options}, evaluated=True)
    except (TypeError, ValueError) as error:
        raise type(error)(f"meta: {str(error).removeprefix('dataset: ')}") from error


def _fitted(x: Any, raw: RawSource, shape: tuple[int, ...], is_tokens: bool) -> Any:
    """Images and tokens of the shape of the training ones; other inputs as they are."""
    x = check_inputs("x_meta", x)
    if is_tokens and raw.is_tokens:
        return of_length("x_meta", x, *shape)
    check_scale("x_meta", x, "x", raw.x)
    images = len(shape) == 3 and x.ndim == 4 and not isinstance(x, ImageFiles)
    return fit_images(x, shape, "x_meta") if images else x


def _matched(y: Any, names: Sequence[str] | None, raw: RawSource):
    """The labels as classes of the source, and the names of its classes with the new ones."""
    y = check_labels("y_meta", y, None if names is None else len(names))
    if (names is None) != (raw.class_names is None):
        kinds = ("numbers", "names") if names is None else ("names", "numbers")
        raise ValueError(
            f"meta: expected labels as in {raw.name}, which are {kinds[1]}, received {kinds[0]}"
        )
    if names is None:
        return y, None
    present = [names[label] for label in np.unique(y)]
    known = [*raw.class_names, *(name for name in present if name not in raw.class_names)]
    number = [known.index(name) if name in known else -1 for name in names]
    return np.asarray(number, np.int64)[y], tuple(known)
