"""Builds a checked source from raw arrays; shared by all kinds of sources."""

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tf_mwn.checks import (
    check_array,
    check_labels,
    check_lengths,
    check_together,
    check_unique,
)
from tf_mwn.data.images.decoding import check_scale
from tf_mwn.data.images.files import ImageFiles
from tf_mwn.data.images.same import copies, same_images, warn_of_shared_examples
from tf_mwn.data.seeds import generator
from tf_mwn.data.splits.split import stratified_indices
from tf_mwn.data.statistics import STREAMED_SAMPLE
from tf_mwn.data.subset import Source, Subset
from tf_mwn.messages import logger

TEST_FRACTION = 0.2
_CHUNK = 1024  # rows compared at a time
_LISTED = 5  # classes that a message names


@dataclasses.dataclass
class RawSource:
    """Unchecked arrays of a source; the optional ones may be None.

    Attributes:
        name: the dataset's name or path.
        x: inputs.
        y: labels; the clean ones where `y_given` is set.
        y_coarse: superclass of each example.
        y_given: noisy labels that come with the source.
        sample_id: ids; None numbers the rows.
        x_test: test inputs; without them 20 % of the examples are split off.
        y_test: test labels.
        x_meta: inputs of separate clean examples, for the meta set.
        y_meta: their labels.
        x_validation: inputs held out for the selection of models.
        y_validation: their labels.
        ids: ids by part, in place of `sample_id`, for parts that are rows of one file.
        path: names of the files of the training part, as the user knows them; None without files.
        is_own: whether these are a user's images: the same image is then kept in one part.
        class_names: names of the classes; None names them by number.
        clean_known: whether `y` is known to be clean.
        mean: published mean per channel, or None.
        std: published standard deviation per channel, or None.
        columns: names of the feature columns of a table, in order; None for other sources.
        is_tokens: whether the inputs are numbers of tokens, [N, L], instead of quantities.
    """

    name: str
    x: Any
    y: Any
    y_coarse: Any = None
    y_given: Any = None
    sample_id: Any = None
    x_test: Any = None
    y_test: Any = None
    x_meta: Any = None
    y_meta: Any = None
    x_validation: Any = None
    y_validation: Any = None
    ids: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    path: Sequence[str] | None = None
    is_own: bool = False
    class_names: tuple[str, ...] | None = None
    clean_known: bool = True
    mean: Any = None
    std: Any = None
    columns: tuple[str, ...] | None = None
    is_tokens: bool = False

    def examples(self) -> Iterator[tuple[str, Any, Any]]:
        """Yields the name, the inputs and the labels of each part that there is, unchecked.

        Raises:
            ValueError: inputs without labels, or as many others.
        """
        for part in ("", "_test", "_validation", "_meta"):
            x, y = getattr(self, f"x{part}"), getattr(self, f"y{part}")
            check_together(**{f"x{part}": x, f"y{part}": y})
            if x is not None:
                if np.ndim(y):
                    check_lengths(**{f"x{part}": x, f"y{part}": y})
                yield f"x{part}", x, y


def build_source(raw: RawSource) -> Source:
    """Checks the arrays of a source, and splits off a test part if it has none.

    The split is class-stratified and has its own seed, so that it is the same in every run.

    Raises:
        TypeError: arrays that hold no numbers, or labels that are no integers.
        ValueError: NaN, lengths or shapes that differ, classes without examples, doubled ids.
    """
    x = check_inputs("x", raw.x)
    y, given, num_classes = _labels(raw, x)
    alike = _all_alike(raw.name, x)
    ids = raw.ids.get("train", np.arange(len(y))) if raw.sample_id is None else raw.sample_id
    ids = check_unique("sample_id", ids)
    check_lengths(y=y, sample_id=ids)
    last = max(int(held.max()) for held in (ids, *raw.ids.values()) if len(held))
    parts = _extra_parts(raw, x, num_classes, last + 1)
    kept, image = np.arange(len(y)), None
    if not alike:
        kept = _without_clean_copies(raw, x, y, parts["meta"])
    present = {n: part.x for n, part in parts.items() if part is not None}
    if raw.is_own:
        image = None if alike or x.ndim != 4 else same_images(x)
        warn_of_shared_examples(raw.name, {"train": x, **present})
    elif "meta" in present:  # clean examples of the user's beside a bundled set
        warn_of_shared_examples(raw.name, present)
    path = None if raw.path is None else _encoded(raw.path)
    splits_off = parts["test"] is None
    if splits_off:
        kept, held_out = _split_off_test(raw.name, y, kept, num_classes, image)
        of_test = None if path is None else path[held_out]
        parts["test"] = Subset(x[held_out], y[held_out], None, ids[held_out], path=of_test)
    test, mean, std = parts["test"], raw.mean, raw.std
    if raw.is_tokens:  # numbers of tokens are no quantities
        mean, std = np.zeros(x.shape[1]), np.ones(x.shape[1])
    return Source(
        name=raw.name,
        x=x[kept] if len(kept) < len(y) else x,
        y=y[kept],
        y_given=None if given is None else given[kept],
        sample_id=ids[kept],
        x_test=test.x,
        y_test=test.label,
        test_id=test.sample_id,
        class_names=raw.class_names or tuple(str(label) for label in range(num_classes)),
        mean=None if mean is None else np.asarray(mean, np.float32),
        std=None if std is None else np.asarray(std, np.float32),
        clean_known=raw.clean_known,
        coarse=None if raw.y_coarse is None else _superclasses(y, raw.y_coarse, num_classes),
        meta_pool=parts["meta"],
        validation=parts["validation"],
        path=None if path is None else path[kept],
        test_path=test.path,
        image=None if image is None else image[kept],
        num_rows=_num_rows(raw, len(y)),
        test_split_off=splits_off,
    )


def _labels(raw: RawSource, x: Any) -> tuple[np.ndarray, np.ndarray | None, int]:
    """The labels [N], the given ones [N] or None, and the number of classes, checked."""
    name, given = "y" if raw.y_given is None else "y_clean", raw.y_given
    y = check_labels(name, raw.y)
    check_lengths(**{"x": x, name: y})
    num_classes = _check_classes(raw.name, y, raw.y_meta, raw.class_names)
    if raw.class_names is not None and len(raw.class_names) < num_classes:
        raise ValueError(
            f"class_names: expected one for each of {num_classes} classes, "
            f"received {len(raw.class_names)}"
        )
    if given is not None:
        given = check_labels("y", given, num_classes)
        check_lengths(y_clean=y, y=given)
    return y, given, num_classes


def _num_rows(raw: RawSource, size: int) -> int | None:
    """The rows of the user's file, if the ids are their numbers."""
    if raw.sample_id is not None:
        return None
    return sum(map(len, raw.ids.values())) or size


def _encoded(paths: Sequence[str]) -> np.ndarray:
    """Paths as bytes, a quarter of the memory of strings."""
    return np.array([os.fsencode(path) for path in paths])


def _without_clean_copies(
    raw: RawSource, x: Any, y: np.ndarray, clean: Subset | None
) -> np.ndarray:
    """The rows that are no copies of clean examples: those are not trained on a second time."""
    if clean is None:
        return np.arange(len(x))
    kept = np.flatnonzero(~copies(raw.name, "meta", clean.x, x))
    if not len(kept):
        raise ValueError("meta: expected other examples than those to train on, received them all")
    _warn_of_clean_classes(raw.name, np.setdiff1d(y, y[kept]), raw.class_names)
    return kept


def _warn_of_clean_classes(name: str, labels: np.ndarray, names: Sequence[str] | None) -> None:
    """A line about classes, if there are any, of which no example is left to train on."""
    if labels.size:
        few = _called(labels, names)
        logger.warning(
            "%s: only the clean examples hold %d of the classes (%s)", name, labels.size, few
        )


def _called(labels: np.ndarray, names: Sequence[str] | None) -> str:
    named = dict(enumerate(names or ()))
    return ", ".join(str(named.get(label, label)) for label in labels[:_LISTED])


def _all_alike(name: str, x: Any) -> bool:
    """Whether all inputs equal the first one, which a line says. Of files a sample is read."""
    rows = np.linspace(0, len(x) - 1, min(len(x), STREAMED_SAMPLE)).astype(int)
    x = x if isinstance(x, np.ndarray) else x[rows]
    first, few = np.asarray(x[:1]), 8  # other sets end after a few
    starts = [0, *range(few, len(x), _CHUNK)]
    ends = [*starts[1:], len(x)]
    chunks = (np.asarray(x[a:b]) for a, b in zip(starts, ends, strict=True))
    alike = all((chunk == first).all() for chunk in chunks)
    if alike:
        logger.warning("%s: all %d inputs are the same: nothing can be learned", name, len(x))
    return alike


def _superclasses(y: np.ndarray, y_coarse: Any, num_classes: int) -> np.ndarray:
    """Returns the superclass of each class, int64 [C]."""
    y_coarse = check_labels("y_coarse", y_coarse)
    check_lengths(y=y, y_coarse=y_coarse)
    coarse = np.empty(num_classes, np.int64)
    coarse[y] = y_coarse
    strays = np.flatnonzero(coarse[y] != y_coarse)
    if strays.size:
        label = y[strays[0]]
        found = np.unique(y_coarse[y == label]).tolist()
        raise ValueError(
            f"y_coarse: expected one superclass for each class, received {found} for class {label}"
        )
    return coarse


def check_inputs(what: str, x: Any) -> np.ndarray:
    """Returns features [N, D] or images [N, H, W, C]."""
    x = x if isinstance(x, ImageFiles) else check_array(what, x)
    if x.ndim not in (2, 3, 4) or 0 in x.shape:
        raise ValueError(
            f"{what}: expected shape [N, D], [N, H, W] or [N, H, W, C], received {list(x.shape)}"
        )
    return x[..., None] if x.ndim == 3 else x


def _check_classes(name: str, y: np.ndarray, y_meta: Any, names: Sequence[str] | None) -> int:
    """Returns the number of classes, each of which must have an example, if only a clean one."""
    clean = np.empty(0, np.int64) if y_meta is None else check_labels("y_meta", y_meta)
    only_clean = np.setdiff1d(clean, y)
    classes = np.union1d(y, only_clean)
    if only_clean.size and only_clean.size == np.unique(clean).size:
        few = _called(only_clean, names)
        raise ValueError(f"meta: expected examples of the data's classes, received only {few}")
    _warn_of_clean_classes(name, only_clean, names)
    if len(classes) < 2:
        raise ValueError(f"y: expected at least two classes, received only class {classes[0]}")
    gaps = np.flatnonzero(classes != np.arange(len(classes)))
    if gaps.size:
        raise ValueError(
            f"y: expected every class from 0 to {classes[-1]}, "
            f"received no example of class {gaps[0]}"
        )
    return len(classes)


def _split_off_test(
    name: str, y: np.ndarray, rows: np.ndarray, num_classes: int, image: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Returns those of the rows that stay and those held out.

    Rows of one image stay together. Of a class that would lose all its rows, the first one stays.
    """
    firsts = rows if image is None else np.unique(image[rows])
    size = round(TEST_FRACTION * len(firsts))
    drawn = stratified_indices(y[firsts], size, num_classes, generator(0, "test split"))
    image = np.arange(len(y)) if image is None else image
    held_out = rows[np.isin(image[rows], firsts[drawn])]
    labels, first = np.unique(y[held_out], return_index=True)
    lost = ~np.isin(labels, y[np.setdiff1d(rows, held_out)])
    held_out = held_out[~np.isin(image[held_out], image[held_out[first[lost]]])]
    if not len(held_out):
        raise ValueError(
            f"dataset: expected enough examples to hold out a fifth for the test in {name}, "
            f"received {len(firsts)} different ones in {len(np.unique(y[rows]))} classes"
        )
    return np.setdiff1d(rows, held_out), held_out


def _extra_parts(
    raw: RawSource, x: Any, num_classes: int, first_id: int
) -> dict[str, Subset | None]:
    """The parts apart from training, with ids from `first_id` on, part after part."""
    parts: dict[str, Subset | None] = {}
    for name in ("test", "meta", "validation"):
        part = parts[name] = _extra_part(name, raw, x, num_classes, first_id)
        first_id += 0 if part is None else len(part)
    return parts


def _extra_part(
    part: str, raw: RawSource, x: Any, num_classes: int, first_id: int
) -> Subset | None:
    """Returns a part with clean labels, and ids from `first_id` on unless it has its own."""
    inputs, labels = getattr(raw, f"x_{part}"), getattr(raw, f"y_{part}")
    check_together(**{f"x_{part}": inputs, f"y_{part}": labels})
    if inputs is None:
        return None
    inputs = check_inputs(f"x_{part}", inputs)
    labels = check_labels(f"y_{part}", labels, num_classes)
    check_lengths(**{f"x_{part}": inputs, f"y_{part}": labels})
    if inputs.shape[1:] != x.shape[1:]:
        raise ValueError(
            f"x_{part}: expected the shape of x {list(x.shape[1:])}, "
            f"received {list(inputs.shape[1:])}"
        )
    check_scale(f"x_{part}", inputs, "x", x)
    ids = raw.ids.get(part, first_id + np.arange(len(labels)))
    return Subset(inputs, labels, labels, ids)
