"""From a configuration to data, classifier, optimizers and model."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from tf_mwn import networks
from tf_mwn.data.seeds import generator
from tf_mwn.data.sources.loading import load
from tf_mwn.data.sources.location import DataLocation
from tf_mwn.data.splits.biased_data import BiasedData
from tf_mwn.data.streams.augment import crop_and_flip, standardise
from tf_mwn.data.streams.pipeline import evaluation_dataset, training_stream
from tf_mwn.data.subset import Source, Subset
from tf_mwn.engine.optimizers import CoupledAdam, CoupledSGD
from tf_mwn.methods import registry
from tf_mwn.methods.rules.resampling import resampled_rows
from tf_mwn.methods.spec.facts import TrainingFacts
from tf_mwn.settings.config import Config
from tf_mwn.training.options import meta_batch_size
from tf_mwn.training.robust_model import RobustModel
from tf_mwn.training.whole_sets import WholeSets

_WHOLE_BATCH = 500  # examples per evaluation step


def load_sources(config: Config, location: DataLocation) -> tuple[Source, Source | None]:
    """The data set before any bias and that of `Config.open_set`, for every seed and method."""
    source = load(
        config.dataset,
        location,
        image_size=config.image_size,
        stream=config.stream,
        train_list=config.train_list,
    )
    return source, None if config.open_set is None else load(config.open_set, location)


def preprocessing(config: Config, data: BiasedData) -> Callable[[tf.Tensor], tf.Tensor]:
    """What every batch of inputs goes through: standardised, or pixels as they are.

    Pretrained networks of keras.applications standardise for themselves.
    """
    if networks.takes_pixels(config.network, config.network_weights):
        return lambda inputs: tf.cast(inputs, tf.float32)
    return standardise(data.mean, data.std)


def check_sizes(config: Config, data: BiasedData, methods: list[registry.Method]) -> None:
    """Refuses, before any folder is made, what would fail when the first step is built."""
    if config.batch_size > len(data.train):
        raise ValueError(
            f"batch_size: expected at most the {len(data.train)} training images, "
            f"received {config.batch_size}"
        )
    for row in methods:
        size = len(training_rows(config, row, data, seed=0))
        if config.batch_size > size:
            raise ValueError(
                f"batch_size: expected at most the {size} training images that {row.name} leaves, "
                f"received {config.batch_size}"
            )
    wanted = config.meta_batch_size
    if (
        wanted
        and wanted > len(data.meta)
        and any(row.takes_meta_set(vars(config)) for row in methods)
    ):
        raise ValueError(
            f"meta_batch_size: expected at most the {len(data.meta)} meta images, received {wanted}"
        )
    if config.augment != "none" and data.train.x.ndim != 4:
        raise ValueError(
            f"augment={config.augment}: expected images, received inputs of shape "
            f"{data.train.x.shape[1:]}; pass --augment=none"
        )


def training_rows(config: Config, row: registry.Method, data: BiasedData, seed: int) -> np.ndarray:
    """Rows of the training part that the method trains on; the seed decides which, not how many."""
    if not row.resamples:
        return np.arange(len(data.train))
    return resampled_rows(data.train.label, config.resampling_kind, generator(seed, "resampling"))


def steps_per_epoch(config: Config, row: registry.Method, data: BiasedData) -> int:
    """Whole batches in one pass over what the method trains on."""
    return len(training_rows(config, row, data, seed=0)) // config.batch_size


def build_model(
    config: Config, row: registry.Method, data: BiasedData, seed: int, steps_per_epoch: int
) -> RobustModel:
    """The compiled model; its initial weights depend on the seed alone, not on the method."""
    keras.utils.set_random_seed(seed)
    shape, weights = data.train.x.shape[1:], config.network_weights
    classifier = networks.build(config.network, shape, data.num_classes, weights)
    facts = training_facts(config, data, seed, steps_per_epoch)
    model = registry.build(row, classifier, vars(config), facts)
    optimizers = {"optimizer": classifier_optimizer(config, steps_per_epoch)}
    if row.meta_optimizer and not row.uses_file(vars(config)):
        optimizers["meta_optimizer"] = meta_optimizer(config, row)
    jit_compile = {"auto": "auto", "true": True, "false": False}[config.jit_compile]
    model.compile(**optimizers, metrics=["accuracy"], jit_compile=jit_compile)
    model.whole_sets = build_whole_sets(config, data)
    return model


def training_facts(
    config: Config, data: BiasedData, seed: int, steps_per_epoch: int
) -> TrainingFacts:
    """What methods may know: the nominal noise of the data card, never the realised one."""
    noise = data.card["noise"]
    matrix = noise["nominal_matrix"]
    return TrainingFacts(
        num_classes=data.num_classes,
        num_examples=len(data.train),
        class_counts=np.bincount(data.train.label, minlength=data.num_classes),
        steps_per_epoch=steps_per_epoch,
        epochs=config.epochs,
        num_sample_ids=int(data.train.sample_id.max()) + 1,
        seed=seed,
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


def meta_optimizer(config: Config, row: registry.Method) -> keras.optimizers.Optimizer:
    """Adam, or SGD with Nesterov momentum 0.9 as in the authors' 2019 scripts.

    A recipe's decay of Θ is for the methods that read it.
    """
    decays = "meta_weight_decay" in row.reads
    decay = {"coupled_weight_decay": config.meta_weight_decay if decays else 0.0}
    if config.meta_optimizer == "adam":
        return CoupledAdam(config.meta_learning_rate, **decay)
    return CoupledSGD(config.meta_learning_rate, momentum=0.9, nesterov=True, **decay)


def build_whole_sets(config: Config, data: BiasedData) -> WholeSets:
    """One pass over the training and the meta set, for what methods do between epochs."""
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
    row: registry.Method,
    data: BiasedData,
    seed: int,
    start_epoch: int,
    start_step: int = 0,
) -> tf.data.Dataset:
    """The training stream from a step of `start_epoch` on."""
    train = data.train
    if row.resamples:
        rows = training_rows(config, row, data, seed)
        # Numbered anew, for the stream wants ids that are unique; put back below.
        train = Subset(train.x[rows], train.label[rows], None, np.arange(len(rows)))
    stream = training_stream(
        train,
        data.meta if row.takes_meta_set(vars(config)) else None,
        config.batch_size,
        meta_batch_size(vars(config), len(data.meta)),
        seed,
        start_epoch=start_epoch,
        start_step=start_step,
        preprocess=preprocessing(config, data),
        augment=crop_and_flip if config.augment == "crop_flip" else None,
    )
    if not row.resamples:
        return stream
    ids = tf.constant(data.train.sample_id[rows])
    return stream.map(lambda x, y: ({**x, "sample_id": tf.gather(ids, x["sample_id"])}, y))
