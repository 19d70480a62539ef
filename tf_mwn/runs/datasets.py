"""The data set of a run, before and after its bias."""

import dataclasses

import numpy as np

from tf_mwn.data.sources.clean_set import with_clean_set
from tf_mwn.data.sources.loading import read
from tf_mwn.data.sources.location import DataLocation
from tf_mwn.data.sources.source import RawSource, build_source
from tf_mwn.data.splits.biased_data import BiasedData
from tf_mwn.data.subset import Source
from tf_mwn.methods import registry
from tf_mwn.runs.streams import meta_examples, training_rows
from tf_mwn.settings.config import Config

_MOST_IDS = 10_000_000  # 40 MB for each number that a method remembers of an example


def load_sources(config: Config, location: DataLocation) -> tuple[Source, Source | None]:
    """The data set before any bias, and the one of `Config.open_set` or None.

    Both are the same for every seed and method.
    """
    raw = with_clean_examples(config, read_dataset(config, location), location)
    other = None if config.open_set is None else build_source(read(config.open_set, location))
    return build_source(raw), other


def read_dataset(config: Config, location: DataLocation) -> RawSource:
    """The arrays of `Config.dataset`, unchecked."""
    return read(
        config.dataset,
        location,
        image_size=config.image_size,
        stream=config.stream,
        train_list=config.train_list,
        label_column=config.label_column,
    )


def with_clean_examples(config: Config, raw: RawSource, location: DataLocation) -> RawSource:
    """The arrays with the clean examples of `Config.meta`, if there are any."""
    if config.meta is None:
        return raw
    return with_clean_set(raw, config.meta, location, config.label_column)


def with_small_ids(data: BiasedData) -> BiasedData:
    """The data with numbers that a model can keep a memory by, one for each training example.

    They are the ids, unless these are as large as those of a database: then they are the rows.
    """
    if data.train.sample_id.max() < _MOST_IDS:
        return data
    train = dataclasses.replace(data.train, sample_id=np.arange(len(data.train)))
    return dataclasses.replace(data, train=train)


def check_sizes(config: Config, data: BiasedData, methods: list[registry.Method]) -> None:
    """Refuses sizes with which the first step could not be built.

    Raises:
        ValueError: a batch is larger than its set, or `Config.augment` is given without images.
    """
    if config.batch_size > len(data.train):
        raise ValueError(
            f"batch_size: expected at most the {len(data.train)} training images, "
            f"received {config.batch_size}"
        )
    for method in methods:
        size = len(training_rows(config, method, data, seed=0))
        if config.batch_size > size:
            raise ValueError(
                f"batch_size: expected at most the {size} training images that {method.name} "
                f"leaves, received {config.batch_size}"
            )
    wanted = config.meta_batch_size
    for method in methods if wanted else ():
        if not method.needs_meta_set(vars(config)):
            continue
        examples = meta_examples(config, method, data)
        if wanted > examples:
            raise ValueError(
                f"meta_batch_size: expected at most the {examples} meta images that a step of "
                f"{method.name} sees, received {wanted}"
            )
    if config.augment != "none" and data.train.x.ndim != 4:
        raise ValueError(
            f"augment={config.augment}: expected images, received inputs of shape "
            f"{data.train.x.shape[1:]}; pass --augment=none"
        )
