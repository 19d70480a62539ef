"""Image classification sets of TensorFlow Datasets, loaded into memory in source order."""

import contextlib
import dataclasses
from typing import Any

import numpy as np

from tf_mwn.checks import check_name
from tf_mwn.data.sources.bundled import BUNDLED
from tf_mwn.data.sources.naming import KINDS, registered_names
from tf_mwn.data.sources.parts import TRAIN, assigned, part_of
from tf_mwn.data.sources.source import RawSource
from tf_mwn.extras import extra
from tf_mwn.messages import logger

with extra("data"):
    import tensorflow_datasets as tfds

_LABEL = "label"  # the feature that every set must have
_NOT_FOUND = tfds.core.registered.DatasetNotFoundError
# The last three are for a bad version or configuration.
_NO_BUILDER = (_NOT_FOUND, ValueError, RuntimeError, AssertionError)
# Mean and standard deviation per channel in pixel units, as the CIFAR literature uses them.
_CIFAR = {"mean": (125.3, 123.0, 113.9), "std": (63.0, 62.1, 66.7)}
NORMALISATION = dict.fromkeys(("cifar10", "cifar100", "cifar10_n", "cifar100_n"), _CIFAR)


def load_tfds(name: str, data_dir: str | None, download: bool) -> RawSource:
    """Loads the splits "train", "test", "validation" and "meta"; see `parts` for what is missing.

    Without "test", "validation" is the test part; without either, 20 % of "train" is split off.

    Args:
        name: name of the set, with `/config` where it has configurations. Of a set with several
            labels, `/feature` names those to train on; "label" then holds the clean ones.
        data_dir: folder of the prepared sets, or None for TFDS' default.
        download: whether to download and prepare the set if it is missing.

    Raises:
        ValueError: an unknown name, a set that is not prepared, or one that is not for image
            classification.
    """
    builder, given = _builder(name, data_dir)
    features = builder.info.features
    _check_features(name, features)  # before a download that would be useless
    _prepare(builder, name, download)
    if "train" not in builder.info.splits:
        splits = ", ".join(builder.info.splits)
        raise ValueError(f"dataset: expected a train split in {name!r}, received {splits}")
    x, arrays = _read(builder, TRAIN)
    raw = RawSource(
        name,
        x,
        arrays[_LABEL],
        y_coarse=arrays.get("coarse_label"),
        y_given=None if given == _LABEL else arrays[given],
        class_names=tuple(features["label"].names),
    )
    splits = {part_of(split): split for split in builder.info.splits if part_of(split)}
    unused = sorted(set(builder.info.splits) - set(splits.values()))
    if unused:
        logger.info("%s: not used: %s", name, ", ".join(unused))
    for part, serves_as in assigned(name, splits).items():
        if part != TRAIN:
            x, arrays = _read(builder, splits[part])
            new = {f"x_{serves_as}": x, f"y_{serves_as}": arrays[_LABEL]}
            raw = dataclasses.replace(raw, **new)
    return dataclasses.replace(raw, **NORMALISATION.get(builder.name, {}))


def _builder(name: str, data_dir: str | None) -> tuple[tfds.core.DatasetBuilder, str]:
    """The builder of a set, and the feature of the labels to train on."""
    try:
        return tfds.builder(name, data_dir=data_dir), _LABEL
    except _NO_BUILDER as error:
        base, _, feature = name.partition("/")
        with contextlib.suppress(*_NO_BUILDER):
            builder = tfds.builder(base, data_dir=data_dir)
            if feature in _label_features(builder):
                return builder, feature
        if isinstance(error, _NOT_FOUND):
            _refuse_unknown(name)
        reason = str(error).splitlines()[0].rpartition('}": ')[2].partition(". ")[0]
        raise ValueError(
            f"dataset: expected a TFDS dataset, received {name!r} ({reason})"
        ) from error


def _label_features(builder: tfds.core.DatasetBuilder) -> list[str]:
    features = dict(builder.info.features.items())
    return [n for n, feature in features.items() if isinstance(feature, tfds.features.ClassLabel)]


def _refuse_unknown(name: str) -> None:
    """Raises the error for an unknown name; TFDS' own lists all of its sets, a screen full."""
    try:
        check_name("dataset", name, [*BUNDLED, *registered_names()])
    except ValueError as error:
        hint = str(error).rpartition(f"received {name!r}")[2]
        raise ValueError(
            f"dataset: expected {KINDS}, received {name!r}, which does not exist{hint}"
        ) from None


def _prepare(builder: tfds.core.DatasetBuilder, name: str, download: bool) -> None:
    if builder.is_prepared():
        return
    if not download:
        raise ValueError(
            f"dataset: expected {name!r} to be prepared in {builder.data_dir}, received no such "
            "folder; add --download to fetch it, or --data_dir=FOLDER for one that holds it"
        )
    try:
        builder.download_and_prepare()
    except Exception as error:  # anything the network or the site raises
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(
            f"download: expected to fetch dataset {name!r}, received {reason}"
        ) from error


def _check_features(name: str, features: Any) -> None:
    parts = dict(features.items()) if isinstance(features, tfds.features.FeaturesDict) else {}
    image, label = parts.get("image"), parts.get("label")
    if not isinstance(image, tfds.features.Image) or not isinstance(
        label, tfds.features.ClassLabel
    ):
        received = ", ".join(parts) or type(features).__name__
        raise ValueError(
            "dataset: expected an image classification set with the features image and label, "
            f"received {name!r} with {received}"
        )
    if None in image.shape:
        raise ValueError(
            "dataset: expected images of one size, "
            f"received {name!r} with shape {list(image.shape)}"
        )


def _read(
    builder: tfds.core.DatasetBuilder, split: str
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Reads the images and all kinds of labels of a split, in one batch for speed."""
    # One file after the other: interleaved files would not be in source order.
    config = tfds.ReadConfig(interleave_cycle_length=1)
    whole = builder.as_dataset(split=split, batch_size=-1, read_config=config, shuffle_files=False)
    labels = {name: whole[name].numpy() for name in _label_features(builder)}
    return whole["image"].numpy(), labels
