"""Builds the data, the model and the training stream of a run from its configuration."""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from tf_mwn import networks
from tf_mwn.data.seeds import generator
from tf_mwn.data.sources.clean_set import with_clean_set
from tf_mwn.data.sources.loading import read
from tf_mwn.data.sources.location import DataLocation
from tf_mwn.data.sources.source import RawSource, build_source
from tf_mwn.data.splits.biased_data import BiasedData
from tf_mwn.data.streams.augment import crop_and_flip, standardise
from tf_mwn.data.streams.pipeline import evaluation_dataset, training_stream
from tf_mwn.data.subset import Source, Subset
from tf_mwn.engine.optimizers import CoupledAdam, CoupledSGD
from tf_mwn.methods import registry
from tf_mwn.methods.rules.resampling import balanced_rows, resampled_rows
from tf_mwn.methods.spec.facts import TrainingFacts
from tf_mwn.settings.config import Config
from tf_mwn.training.fine_tuning import hold_back
from tf_mwn.training.logit_adjustment import LogitAdjustment, smoothed_shares
from tf_mwn.training.options import BALANCED, TEST, parse_target_shares
from tf_mwn.training.robust_model import RobustModel
from tf_mwn.training.whole_sets import WholeSets

_MOST_IDS = 10_000_000  # 40 MB for each number that a method remembers of an example
_WHOLE_BATCH = 500  # examples per evaluation step


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


def preprocessing(config: Config, data: BiasedData) -> Callable[[tf.Tensor], tf.Tensor]:
    """The preprocessing of every batch of inputs: standardisation, or a cast to float32.

    Pretrained networks take pixels and standardise them themselves.
    """
    if networks.takes_raw(config.network, config.network_weights):
        return lambda inputs: tf.cast(inputs, tf.float32)
    return standardise(data.mean, data.std)


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


def build_model(
    config: Config, method: registry.Method, data: BiasedData, seed: int, steps_per_epoch: int
) -> RobustModel:
    """The compiled model. Its classifier's initial weights depend on the seed, not the method."""
    keras.utils.set_random_seed(seed)
    shape, weights = data.train.x.shape[1:], config.network_weights
    classifier = networks.build(config.network, shape, data.num_classes, weights)
    facts = training_facts(config, data, seed, steps_per_epoch)
    model = registry.build(method, classifier, vars(config), facts)
    optimizers = {"optimizer": classifier_optimizer(config, steps_per_epoch)}
    if method.meta_optimizer and not method.uses_file(vars(config)):
        optimizers["meta_optimizer"] = meta_optimizer(config, method)
    jit_compile = {"auto": "auto", "true": True, "false": False}[config.jit_compile]
    adjustment = logit_adjustment(config, method, data)
    model.compile(
        **optimizers,
        **(adjustment.arguments() if adjustment else {}),
        metrics=["accuracy"],
        jit_compile=jit_compile,
        fused_batch_norm=config.fused_batch_norm,
    )
    model.whole_sets = build_whole_sets(config, data)
    return model


def logit_adjustment(
    config: Config, method: registry.Method, data: BiasedData
) -> LogitAdjustment | None:
    """How the logits are corrected in training; None for a strength of 0.

    A method with an adjustment of its own has none of these.
    """
    strength = method.shared_value(vars(config), "logit_adjustment")
    if method.shared or not strength:
        return None
    return LogitAdjustment(_counts(data.train, data), strength, target_shares(config, data))


def target_shares(config: Config, data: BiasedData) -> np.ndarray | None:
    """The class shares that --target_shares names, [C]; None for equal ones.

    Raises:
        ValueError: another number of shares than of classes.
    """
    wanted = parse_target_shares(config.target_shares)
    if wanted == BALANCED:
        return None
    if wanted == TEST:
        return smoothed_shares(_counts(data.test, data))
    if len(wanted) != data.num_classes:
        raise ValueError(
            f"target_shares: expected {data.num_classes} numbers, one for each class, "
            f"received {len(wanted)}"
        )
    return np.asarray(wanted)


def _counts(part: Subset, data: BiasedData) -> np.ndarray:
    return np.bincount(part.label, minlength=data.num_classes)


def training_facts(
    config: Config, data: BiasedData, seed: int, steps_per_epoch: int
) -> TrainingFacts:
    """What methods may know of the data. The noise is the nominal one, never the realised one."""
    noise = data.card["noise"]
    matrix = noise["nominal_matrix"]
    return TrainingFacts(
        num_classes=data.num_classes,
        num_examples=len(data.train),
        class_counts=_counts(data.train, data),
        steps_per_epoch=steps_per_epoch,
        epochs=config.epochs,
        num_sample_ids=int(data.train.sample_id.max()) + 1,
        seed=seed,
        target_shares=target_shares(config, data),
        noise_rate=noise["nominal_rate"],
        transition_matrix=None if matrix is None else np.asarray(matrix),
    )


def classifier_optimizer(config: Config, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """SGD or Adam with the papers' coupled weight decay, or AdamW; with the step schedule."""
    learning_rate = config.learning_rate
    if config.decay_epochs:
        values = [
            learning_rate * config.decay_factor**i for i in range(len(config.decay_epochs) + 1)
        ]
        boundaries = [epoch * steps_per_epoch - 1 for epoch in sorted(config.decay_epochs)]
        learning_rate = keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, values)
    if config.optimizer == "adam":
        return CoupledAdam(learning_rate, coupled_weight_decay=config.weight_decay)
    if config.optimizer == "adamw":
        return keras.optimizers.AdamW(learning_rate, weight_decay=config.weight_decay)
    return CoupledSGD(
        learning_rate,
        momentum=config.momentum,
        nesterov=config.nesterov,
        coupled_weight_decay=config.weight_decay,
    )


def meta_optimizer(config: Config, method: registry.Method) -> keras.optimizers.Optimizer:
    """Adam, or SGD with Nesterov momentum 0.9 as in the authors' 2019 scripts.

    The weight decay of Θ applies only to methods that read `Config.meta_weight_decay`.
    """
    decays = "meta_weight_decay" in method.reads
    decay = {"coupled_weight_decay": config.meta_weight_decay if decays else 0.0}
    if config.meta_optimizer == "adam":
        return CoupledAdam(config.meta_learning_rate, **decay)
    return CoupledSGD(config.meta_learning_rate, momentum=0.9, nesterov=True, **decay)


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


def _sampled(config: Config, clean: Subset, seed: int) -> Subset:
    """Clean examples as `Config.meta_sampling` wants them: of rare classes some several times."""
    if config.meta_sampling == "uniform":
        return clean
    largest = int(np.bincount(clean.label).max())
    rows = balanced_rows(clean.label, largest, generator(seed, "meta sampling"))
    # The stream needs unique ids.
    return dataclasses.replace(clean.rows(rows), sample_id=np.arange(len(rows)))


def evaluation_batches(config: Config, part: Subset, data: BiasedData) -> tf.data.Dataset:
    """All examples of `part` once, in order, as (inputs, labels), preprocessed."""
    return evaluation_dataset(part.x, part.label, _WHOLE_BATCH, preprocessing(config, data))


def _augmentation(config: Config):
    return crop_and_flip if config.augment == "crop_flip" else None


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
