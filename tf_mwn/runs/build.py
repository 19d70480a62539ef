"""The compiled model of a run."""

import keras
import numpy as np

from tf_mwn import networks
from tf_mwn.data.splits.biased_data import BiasedData
from tf_mwn.data.subset import Subset
from tf_mwn.engine.optimizers import CoupledAdam, CoupledSGD
from tf_mwn.methods import registry
from tf_mwn.methods.spec.facts import TrainingFacts
from tf_mwn.runs.streams import build_whole_sets
from tf_mwn.settings.config import Config
from tf_mwn.training.logit_adjustment import LogitAdjustment, smoothed_shares
from tf_mwn.training.options import BALANCED, TEST, parse_target_shares
from tf_mwn.training.robust_model import RobustModel


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


def _counts(part: Subset, data: BiasedData) -> np.ndarray:
    return np.bincount(part.label, minlength=data.num_classes)
