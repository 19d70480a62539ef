"""The user's own `tf.data.Dataset` as a source in memory."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tf_mwn.data.sources.source import RawSource, build_source
from tf_mwn.data.streams.pair_streams import check_example_spec
from tf_mwn.data.subset import Source

_BATCH = 256


def from_dataset(
    train: tf.data.Dataset,
    test: tf.data.Dataset | None = None,
    meta: tf.data.Dataset | None = None,
    *,
    name: str = "dataset",
    class_names: Sequence[str] | None = None,
    clean_known: bool = False,
    most_bytes: int = 2**31,
) -> Source:
    """Reads datasets of single `(inputs, label)` examples into memory.

    The ids are the rows in the order of the dataset, which therefore must not shuffle. To train on
    a set that does not fit in memory use `tf_mwn.paired_dataset`, which streams it.

    Args:
        train: training part; inputs [D] or [H, W, C], labels one integer each.
        test: test part; without it a fifth of each class is split off.
        meta: separate clean examples, from which the meta set is drawn.
        name: what the source is called.
        class_names: names of the classes; None names them by number.
        clean_known: whether the labels are known to be clean.
        most_bytes: size in memory above which a part is refused.

    Raises:
        TypeError: no datasets.
        ValueError: batched or endless datasets, examples of no fixed shape, or too many of them.
    """
    parts = {"": train, "_test": test, "_meta": meta}
    arrays = {}
    for part, dataset in parts.items():
        if dataset is not None or not part:
            arrays[f"x{part}"], arrays[f"y{part}"] = _read(f"x{part}", dataset, most_bytes)
    names = None if class_names is None else tuple(class_names)
    source = build_source(RawSource(name, **arrays, class_names=names, clean_known=clean_known))
    if len(source.class_names) != int(source.y.max()) + 1:
        raise ValueError(
            f"class_names: expected {int(source.y.max()) + 1}, received {len(source.class_names)}"
        )
    return source


def _read(what: str, dataset: tf.data.Dataset, most_bytes: int) -> tuple[np.ndarray, np.ndarray]:
    if not isinstance(dataset, tf.data.Dataset):
        raise TypeError(f"{what}: expected a tf.data.Dataset, received {type(dataset).__name__}")
    _check_spec(what, dataset)
    x, y, size = [], [], 0
    for inputs, label in dataset.batch(_BATCH).as_numpy_iterator():
        size += inputs.nbytes
        if size > most_bytes:
            raise ValueError(
                f"{what}: expected at most {most_bytes} bytes in memory, received more; a larger "
                "dataset trains by tf_mwn.paired_dataset"
            )
        x.append(inputs)
        y.append(label)
    if not x:
        raise ValueError(f"{what}: expected at least one example, received none")
    return np.concatenate(x), np.concatenate(y)


def _check_spec(what: str, dataset: tf.data.Dataset) -> None:
    if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError(f"{what}: expected a finite dataset, received one that never ends")
    label = check_example_spec(what, dataset.element_spec)
    inputs = dataset.element_spec[0]
    if label.dtype.is_floating:
        raise ValueError(f"{what}: expected labels that are one integer, received one-hot floats")
    if not isinstance(inputs, tf.TensorSpec) or not inputs.shape.is_fully_defined():
        raise ValueError(f"{what}: expected inputs of one fixed shape, received {inputs}")
