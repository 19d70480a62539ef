"""One training of a method by its name, on arrays."""

import dataclasses
import math
import types
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from tf_mwn.checks import check_count, unknown_name
from tf_mwn.data.seeds import generator
from tf_mwn.estimators.inputs import Inputs, rows_of
from tf_mwn.estimators.network import Network, new_network, seeded
from tf_mwn.methods import registry
from tf_mwn.methods.rules.resampling import resampled_rows
from tf_mwn.methods.spec.facts import TrainingFacts
from tf_mwn.methods.spec.method import Method
from tf_mwn.options import Option
from tf_mwn.runs.build import meta_optimizer
from tf_mwn.training.fine_tuning import hold_back
from tf_mwn.training.logit_adjustment import LogitAdjustment
from tf_mwn.training.options import BALANCED, SHARED, TEST, parse_target_shares
from tf_mwn.training.robust_model import RobustModel

# The options of every method, by name.
OPTIONS: Mapping[str, Option] = registry.OPTIONS | {option.name: option for option in SHARED}
# Facts that are known of examples in training alone.
_HISTORY = "num_sample_ids"


@dataclasses.dataclass(frozen=True)
class Labelled:
    """Inputs with class numbers [N], and how much each example counts, [N] or None."""

    inputs: Inputs
    codes: np.ndarray
    weights: np.ndarray | None = None

    def rows(self, rows: np.ndarray) -> "Labelled":
        weights = None if self.weights is None else self.weights[rows]
        return Labelled(rows_of(self.inputs, rows), self.codes[rows], weights)


@dataclasses.dataclass(frozen=True)
class Plan:
    """How classifiers are trained, whatever the data.

    Attributes:
        network: see `new_network`.
        method: of the registry.
        settings: values of `OPTIONS`, and "epochs" and "batch_size".
        optimizer: name, or an optimizer of which each training has a copy.
        seed: of everything that is drawn.
        verbose: as in Keras' `fit`.
    """

    network: Network
    method: Method
    settings: Mapping[str, Any]
    optimizer: str | keras.optimizers.Optimizer
    seed: int
    verbose: Any = 0

    @property
    def learns_meta_set(self) -> bool:
        """Whether the classifier itself is trained on the meta set."""
        return self.method.trains_on_meta_set or self.method.fine_tuning_epochs(self.settings) > 0

    @property
    def weighs_new_examples(self) -> bool:
        """Whether the method gives a weight to examples that it was not trained on."""
        return self.method.gives_weights and _HISTORY not in self.method.facts


def settings_of(method: Method, options: Mapping[str, Any], epochs: int, batch_size: int) -> dict:
    """The settings of a training: those of `options`, and the defaults of the others.

    Raises:
        TypeError, ValueError: an option of another method, without effect, or out of its range.
    """
    settings = {option.name: option.default for option in OPTIONS.values()}
    for name, value in options.items():
        if name not in (*method.reads, *(option.name for option in SHARED)):
            valid = (*method.reads, *(option.name for option in SHARED))
            raise ValueError(unknown_name(f"option of {method.name}", name, valid))
        settings[name] = OPTIONS[name].check(value)
    for name in options:
        needed = method.ignores(settings, name)
        if needed:
            raise ValueError(f"{name}: expected only {needed}, received it without effect")
    if parse_target_shares(settings["target_shares"]) == TEST:
        raise ValueError(
            "target_shares: expected balanced or a number for each class, received test, but an "
            "estimator knows no test set"
        )
    return {
        **settings,
        "epochs": check_count("epochs", epochs),
        "batch_size": check_count("batch_size", batch_size),
    }


def train(
    plan: Plan,
    train: Labelled,
    meta: Labelled | None,
    classes: int,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> tuple[RobustModel, dict[str, list[float]]]:
    """Trains a new network; the model of the method around it, and the history of its epochs.

    Args:
        plan: how.
        train: N examples with labels that may be wrong.
        meta: M examples with right labels; None for a method that needs none.
        classes: C, of all labels that there may be.
        callbacks: of `fit`.
    """
    if plan.method.resamples:
        kind, rng = plan.settings["resampling_kind"], generator(plan.seed, "resampling")
        train = train.rows(resampled_rows(train.codes, kind, rng))
    size = min(plan.settings["batch_size"], len(train.codes))
    with seeded(plan.seed):
        model = _model(plan, train, classes, size)
        history = model.fit(
            train.inputs,
            train.codes,
            batch_size=size,
            epochs=model.num_epochs or plan.settings["epochs"],
            callbacks=list(callbacks),
            verbose=plan.verbose,
            sample_weight=train.weights,
            **_meta_of_steps(plan, meta, size),
        ).history
        _last_phase(plan, model, meta)
    return model, history


def _model(plan: Plan, train: Labelled, classes: int, batch_size: int) -> RobustModel:
    """The compiled model of the method around a new network."""
    facts = facts_of(plan, train.codes, classes, batch_size)
    network = new_network(plan.network, train.inputs, classes)
    model = registry.build(plan.method, network, plan.settings, facts)
    optimizers = {"optimizer": _copy(plan.optimizer)}
    if plan.method.meta_optimizer and not plan.method.uses_file(plan.settings):
        settings = types.SimpleNamespace(**plan.settings)
        optimizers["meta_optimizer"] = meta_optimizer(settings, plan.method)
    adjustment = adjustment_of(plan, facts)
    model.compile(**optimizers, **(adjustment.arguments() if adjustment else {}))
    return model


def facts_of(plan: Plan, codes: np.ndarray, classes: int, batch_size: int) -> TrainingFacts:
    """What a method may know of a training set with labels `codes` [N]."""
    shares = parse_target_shares(plan.settings["target_shares"])
    if shares != BALANCED and len(shares) != classes:
        raise ValueError(
            f"target_shares: expected {classes} numbers, one for each class, received {len(shares)}"
        )
    return TrainingFacts(
        num_classes=classes,
        num_examples=len(codes),
        class_counts=np.bincount(codes, minlength=classes),
        steps_per_epoch=math.ceil(len(codes) / batch_size),
        epochs=plan.settings["epochs"],
        num_sample_ids=len(codes),
        seed=plan.seed,
        target_shares=None if shares == BALANCED else np.asarray(shares),
    )


def _copy(optimizer) -> str | keras.optimizers.Optimizer:
    if isinstance(optimizer, keras.optimizers.Optimizer):
        return type(optimizer).from_config(optimizer.get_config())
    return optimizer


def adjustment_of(plan: Plan, facts: TrainingFacts) -> LogitAdjustment | None:
    """How the logits are corrected in training; None if they are not."""
    strength = plan.method.shared_value(plan.settings, "logit_adjustment")
    if plan.method.shared or not strength:
        return None
    return LogitAdjustment(facts.class_counts, strength, facts.target_shares)


def _meta_of_steps(plan: Plan, meta: Labelled | None, batch_size: int) -> dict[str, Any]:
    """The part of the meta set that steps may see, as arguments of `fit`."""
    method, settings = plan.method, plan.settings
    if meta is None or not method.takes_meta_set(settings):
        return {}
    if method.trains_on_meta_set and method.holds_back(settings):
        held_back = hold_back(meta.codes, method.holds_back(settings), plan.seed)
        meta = meta.rows(np.setdiff1d(np.arange(len(meta.codes)), held_back))
    size = method.meta_batch_size({**settings, "batch_size": batch_size}, len(meta.codes))
    return {"x_meta": meta.inputs, "y_meta": meta.codes, "meta_batch_size": size}


def _last_phase(plan: Plan, model: RobustModel, meta: Labelled | None) -> None:
    epochs = plan.method.fine_tuning_epochs(plan.settings)
    if epochs:
        model.fine_tune(
            meta.inputs,
            meta.codes,
            epochs,
            rate=plan.settings["fine_tuning_rate"],
            held_back=plan.settings["held_back"],
            seed=plan.seed,
            verbose=plan.verbose,
        )
