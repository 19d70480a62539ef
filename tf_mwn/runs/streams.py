"""What a run's steps, last phase and evaluation see: streams of the training and the meta set."""

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tf_mwn import networks
from tf_mwn.data.seeds import generator
from tf_mwn.data.splits.biased_data import BiasedData
from tf_mwn.data.streams.augment import crop_and_flip, standardise
from tf_mwn.data.streams.pipeline import evaluation_dataset, training_stream
from tf_mwn.data.subset import Subset
from tf_mwn.methods import registry
from tf_mwn.methods.rules.resampling import balanced_rows, resampled_rows
from tf_mwn.settings.config import Config
from tf_mwn.training.fine_tuning import hold_back
from tf_mwn.training.whole_sets import WholeSets

_WHOLE_BATCH = 500  # examples per evaluation step


def preprocessing(config: Config, data: BiasedData) -> Callable[[tf.Tensor], tf.Tensor]:
    """The preprocessing of every batch of inputs: standardisation, or a cast to float32.

    Pretrained networks take pixels and standardise them themselves.
    """
    if networks.takes_raw(config.network, config.network_weights):
        return lambda inputs: tf.cast(inputs, tf.float32)
    return standardise(data.mean, data.std)


def training_rows(
    config: Config, method: registry.Method, data: BiasedData, seed: int
) -> np.ndarray:
    """The rows of the training set that the method trains on.

    The seed decides which rows these are, but not their number.
    """
    if not method.resamples:
        return np.arange(len(data.train))
    return resampled_rows(data.train.label, config.resampling_kind, generator(seed, "resampling"))


def steps_per_epoch(config: Config, method: registry.Method, data: BiasedData) -> int:
    """The number of whole batches in one pass over the examples that the method trains on."""
    return len(training_rows(config, method, data, seed=0)) // config.batch_size


@dataclasses.dataclass(frozen=True)
class MetaParts:
    """The meta set as one method uses it.

    Attributes:
        step: what the training steps see.
        last_phase: what the last phase trains on.
        unseen: what the classifier never trains on; None if there is none. Errors are planted in
            it, and audits are calibrated by it: a classifier knows by heart what it trained on.
    """

    step: Subset
    last_phase: Subset
    unseen: Subset | None


def meta_parts(config: Config, method: registry.Method, data: BiasedData, seed: int) -> MetaParts:
    """The parts of the meta set for a method; those held back depend on the seed alone."""
    meta, share = data.meta, method.holds_back(vars(config))
    if not share:
        return MetaParts(meta, meta, meta if len(meta) and not method.trains_on_meta_set else None)
    held_back = hold_back(meta.label, share, seed)
    rest = np.setdiff1d(np.arange(len(meta)), held_back)
    learned = meta.rows(rest)
    step = learned if method.trains_on_meta_set else meta
    return MetaParts(step, learned, meta.rows(held_back) if len(held_back) else None)


def meta_examples(config: Config, method: registry.Method, data: BiasedData) -> int:
    """The number of meta examples that the steps of a method see."""
    return len(meta_parts(config, method, data, seed=0).step)


def build_stream(
    config: Config,
    method: registry.Method,
    data: BiasedData,
    seed: int,
    start_epoch: int,
    start_step: int = 0,
) -> tf.data.Dataset:
    """The training stream from step `start_step` of epoch `start_epoch` on."""
    train = data.train
    if method.resamples:
        rows = training_rows(config, method, data, seed)
        # The stream needs unique ids, so that the rows are numbered; `map` restores their ids.
        train = Subset(train.x[rows], train.label[rows], None, np.arange(len(rows)))
    meta, meta_batch_size = None, None
    if method.takes_meta_set(vars(config)):
        part = meta_parts(config, method, data, seed).step
        meta = _sampled(config, part, seed)
        meta_batch_size = method.meta_batch_size(vars(config), len(part))
    stream = training_stream(
        train,
        meta,
        config.batch_size,
        meta_batch_size,
        seed,
        start_epoch=start_epoch,
        start_step=start_step,
        preprocess=preprocessing(config, data),
        augment=_augmentation(config),
    )
    if not method.resamples:
        return stream
    ids = tf.constant(data.train.sample_id[rows])
    return stream.map(lambda x, y: ({**x, "sample_id": tf.gather(ids, x["sample_id"])}, y))


def fine_tuning_batch(config: Config, clean: Subset) -> int:
    """The batch size of the last phase."""
    return min(config.meta_batch_size or config.batch_size, len(clean))


def fine_tuning_stream(config: Config, clean: Subset, data: BiasedData, seed: int):
    """The training stream of the last phase: batches of clean examples."""
    return training_stream(
        _sampled(config, clean, seed),
        None,
        fine_tuning_batch(config, clean),
        None,
        seed,
        preprocess=preprocessing(config, data),
        augment=_augmentation(config),
    )


def evaluation_batches(config: Config, part: Subset, data: BiasedData) -> tf.data.Dataset:
    """All examples of `part` once, in order, as (inputs, labels), preprocessed."""
    return evaluation_dataset(part.x, part.label, _WHOLE_BATCH, preprocessing(config, data))


def build_whole_sets(config: Config, data: BiasedData) -> WholeSets:
    """The training and the meta set in evaluation order, for what methods do between epochs."""
    preprocess = preprocessing(config, data)
    train = evaluation_dataset(data.train.x, data.train.label, _WHOLE_BATCH, preprocess)
    ids = tf.data.Dataset.from_tensor_slices(data.train.sample_id).batch(_WHOLE_BATCH)
    named = tf.data.Dataset.zip(train, ids).map(
        lambda pair, i: ({"inputs": pair[0], "sample_id": i}, pair[1])
    )
    if not len(data.meta):
        return WholeSets(named)
    return WholeSets(
        named, evaluation_dataset(data.meta.x, data.meta.label, _WHOLE_BATCH, preprocess)
    )


def _sampled(config: Config, clean: Subset, seed: int) -> Subset:
    """Clean examples as `Config.meta_sampling` wants them: of rare classes some several times."""
    if config.meta_sampling == "uniform":
        return clean
    largest = int(np.bincount(clean.label).max())
    rows = balanced_rows(clean.label, largest, generator(seed, "meta sampling"))
    # The stream needs unique ids.
    return dataclasses.replace(clean.rows(rows), sample_id=np.arange(len(rows)))


def _augmentation(config: Config):
    return crop_and_flip if config.augment == "crop_flip" else None
