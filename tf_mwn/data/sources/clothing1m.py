"""Clothing1M in its own layout."""

import dataclasses
import os

import numpy as np

from tf_mwn.checks import check_name
from tf_mwn.data.images.lists import ImageOptions, read_lists
from tf_mwn.data.sources.source import RawSource

TRAIN_LISTS = ("noisy", "clean")
_KEY_LISTS = {
    "noisy": "noisy_train_key_list.txt",
    "clean": "clean_train_key_list.txt",
    "meta": "clean_val_key_list.txt",
    "test": "clean_test_key_list.txt",
}
_LABELS = {"noisy": "noisy_label_kv.txt", "clean": "clean_label_kv.txt"}
_SIZE, MARGIN = 224, 256 / 224
CLASS_NAMES = tuple(
    "T-Shirt Shirt Knitwear Chiffon Sweater Hoodie Windbreaker Jacket Downcoat Suit Shawl Dress "
    "Vest Underwear".split()
)


def is_clothing1m(path: str) -> bool:
    """Whether a folder holds the lists of Clothing1M's noisy training set."""
    names = (_KEY_LISTS["noisy"], _LABELS["noisy"])
    return any(os.path.isfile(os.path.join(path, name)) for name in names)


def load_clothing1m(path: str, options: ImageOptions, train_list: str = "noisy") -> RawSource:
    """Loads Clothing1M: 14 classes, a million images with noisy labels and some with clean ones.

    The folder holds the key lists `noisy_train_key_list.txt`, `clean_train_key_list.txt`,
    `clean_val_key_list.txt` and `clean_test_key_list.txt` (a path of an image below the folder on
    each line), the labels `noisy_label_kv.txt` and `clean_label_kv.txt` (path and label on each
    line), and the images. The training part is the noisy or the clean list; the meta set is drawn
    from the clean validation list, the test part is the clean test list. Images are scaled to cover
    256 x 256 and cropped to 224 x 224, or in that proportion to another `image_size`.

    Args:
        path: the folder.
        options: how to read the images; streamed unless they fit in memory.
        train_list: one of `TRAIN_LISTS`.

    Raises:
        ValueError: a list that is missing, a key without a label, or files that are no images.
    """
    check_name("train_list", train_list, TRAIN_LISTS)
    _check_files(path, train_list)
    lists = {"train": train_list, "meta": "meta", "test": "test"}
    keys = {part: _lines(path, _KEY_LISTS[name]) for part, name in lists.items()}
    labels = {"clean": _read_labels(path, _LABELS["clean"])}
    labels["noisy"] = _read_labels(path, _LABELS["noisy"]) if train_list == "noisy" else {}
    kinds = {"train": train_list, "meta": "clean", "test": "clean"}
    y = {part: _labels_of(path, keys[part], kind, labels[kind]) for part, kind in kinds.items()}
    size = options.image_size or _SIZE
    options = dataclasses.replace(options, image_size=size, margin=MARGIN)
    parts = {part: [os.path.join(path, key) for key in keys[part]] for part in keys}
    images = read_lists(path, path, parts, options)
    return RawSource(
        path,
        images["train"],
        y["train"],
        x_test=images["test"],
        y_test=y["test"],
        x_meta=images["meta"],
        y_meta=y["meta"],
        class_names=CLASS_NAMES,
        clean_known=train_list == "clean",
    )


def _check_files(path: str, train_list: str) -> None:
    wanted = [_KEY_LISTS[name] for name in (train_list, "meta", "test")]
    wanted += list(_LABELS.values()) if train_list == "noisy" else [_LABELS["clean"]]
    missing = [name for name in wanted if not os.path.isfile(os.path.join(path, name))]
    if missing:
        raise ValueError(
            f"dataset: expected Clothing1M's lists in {path}, "
            f"received none of the name {', '.join(missing)}"
        )


def _lines(path: str, name: str) -> list[str]:
    with open(os.path.join(path, name), encoding="utf-8", errors="surrogateescape") as file:
        lines = [line.strip() for line in file]
    lines = [line for line in lines if line]
    if not lines:
        raise ValueError(
            f"dataset: expected lines in {os.path.join(path, name)}, received an empty file"
        )
    return lines


def _read_labels(path: str, name: str) -> dict[str, int]:
    labels = {}
    for number, line in enumerate(_lines(path, name), start=1):
        key, _, label = line.rpartition(" ")
        if not key or not label.isdecimal() or int(label) >= len(CLASS_NAMES):
            raise ValueError(
                f"dataset: expected a path and a label from 0 to {len(CLASS_NAMES) - 1} in line "
                f"{number} of {os.path.join(path, name)}, received {line!r}"
            )
        labels[key] = int(label)
    return labels


def _labels_of(path: str, keys: list[str], kind: str, labels: dict[str, int]) -> np.ndarray:
    missing = [key for key in keys if key not in labels]
    if missing:
        raise ValueError(
            f"dataset: expected a label for each key in {os.path.join(path, _LABELS[kind])}, "
            f"received none for {len(missing)}, the first {missing[0]}"
        )
    return np.array([labels[key] for key in keys], np.int64)
