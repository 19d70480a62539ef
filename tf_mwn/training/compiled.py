"""What `compile` decides of a model, and what a saved one holds."""

from collections.abc import Callable, Sequence
from typing import Any, Self

import keras
import numpy as np

from tf_mwn.checks import NON_NEGATIVE
from tf_mwn.engine import keras_internals
from tf_mwn.engine.fused_batch_norm import check_fits
from tf_mwn.engine.options import FUSED_BATCH_NORM
from tf_mwn.losses.per_example import per_example_loss
from tf_mwn.training.classifiers import (
    check_has_classes,
    check_same_variables,
    check_trainable,
    num_classes,
    resolve_jit_compile,
)
from tf_mwn.training.logit_adjustment import LogitAdjustment
from tf_mwn.training.loops import Loops
from tf_mwn.training.metrics import metrics_on_logits

_TUNED_ON = "tuned_on"  # its name in the file of a saved model


class Compiled(Loops):
    """The part of `RobustModel` that is the same in each step: optimizer, loss and its options."""

    # Whether the method keeps state for each trainable variable, or a second classifier.
    has_state_of_variables = False
    # In closures, so that Keras does not track what they return.
    _variables_at_first: Callable[[], tuple[keras.Variable, ...]]
    _variables_at_compile: Callable[[], tuple[keras.Variable, ...]]
    _loss_and_metrics: Callable[[], dict[str, Any]]
    _optimizer_starts: Callable[[], Sequence[Any]]
    batch_checks: Callable[[], dict[Any, Any]]

    def compile(
        self,
        optimizer: Any,
        loss: Any = None,
        metrics: Any = None,
        jit_compile: bool | str = "auto",
        logit_adjustment: float = 0.0,
        class_counts: Sequence[float] | np.ndarray | None = None,
        target_shares: Sequence[float] | None = None,
        fused_batch_norm: str = FUSED_BATCH_NORM.default,
        weighted_metrics: Any = None,
        weight_per: str = "example",
        ignore_class: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Sets the classifier's optimizer, the per-example loss and the metrics.

        Args:
            optimizer: any Keras optimizer, or its name. Under the policy "mixed_float16" Keras
                puts a `LossScaleOptimizer` around it.
            loss: None for sparse cross-entropy from logits; a `keras.losses.Loss` on logits; a
                function (labels, logits) -> one value per example; or a name of Keras. The names
                of cross-entropies mean those on logits, which the classifier returns.
            metrics: as in Keras; they see logits. Names that stand for probabilities, such as
                "AUC", and metrics with a threshold between 0 and 1 see probabilities: of class 1
                where there are one or two logits. "accuracy" of one logit is that of its sign.
            jit_compile: "auto" compiles with XLA on a GPU, unless the classifier max-pools
                (its second derivative is inexact under XLA); never on a CPU, where XLA makes
                these steps slower.
            logit_adjustment: τ, at least 0. The training objective sees z + τ ln(π/ρ), and so does
                `sample_weight`; the meta loss, clean examples that are trained on, metrics and
                predictions see z. See
                `LogitAdjustment`.
            class_counts: training examples of each given class, [C]; with `logit_adjustment`.
            target_shares: ρ, the share of each class where the classifier will be used, [C]; by
                default all classes are equally frequent.
            fused_batch_norm: "auto" computes each batch norm in one kernel where
                `tf_mwn.engine.fused_batch_norm` can, and as Keras does elsewhere: the same
                numbers to rounding. "on" refuses a classifier where it cannot; "off" never does.
            weight_per: what has a weight of its own: each "example", by the mean loss of its
                outputs, or each "output": a position of logits [B, T, C] or [B, H, W, C], or a
                column of logits [B, K] under a loss that is the mean of its columns.
            ignore_class: the label of outputs that count nowhere, such as padding: not in T, its
                normaliser, the meta loss or the metrics. By default that of the loss, if it has
                one.
            weighted_metrics: as `metrics`; they count each example by its `sample_weight`.
            **kwargs: `run_eagerly`, `steps_per_execution`, as in Keras.
        """
        if kwargs.get("loss_weights") is not None:
            raise ValueError(
                "loss_weights: expected None, as there is one output, "
                f"received {kwargs['loss_weights']!r}"
            )
        check_trainable(self.classifier)
        if self.has_state_of_variables:
            first = self._variables_at_first()
            check_same_variables(self.classifier, first, "when it was wrapped", "wrap it again")
        if loss is None:
            check_has_classes(self.classifier)
        self.fused_batch_norm = FUSED_BATCH_NORM.check(fused_batch_norm)
        if fused_batch_norm == "on":
            check_fits(self.classifier)
        self.per_example_loss = per_example_loss(loss, weight_per, ignore_class)
        leaves_out = self.per_example_loss.ignore_class is not None
        self._adjust_logits(logit_adjustment, class_counts, target_shares)
        kind = num_classes(self.classifier), self.per_example_loss
        super().compile(
            optimizer=optimizer,
            metrics=metrics_on_logits(metrics, *kind),
            weighted_metrics=metrics_on_logits(weighted_metrics, *kind),
            jit_compile=resolve_jit_compile(jit_compile, self.classifier, leaves_out),
            **kwargs,
        )
        # Built now: a checkpoint restores only state that exists, and slots created inside the
        # traced step fail under a strategy.
        self.optimizer.build(self.classifier.trainable_variables)
        variables = tuple(self.classifier.trainable_variables)
        checks: dict[Any, Any] = {}
        self._variables_at_compile, self.batch_checks = lambda: variables, lambda: checks
        self.choose_variables()
        values = [v.numpy() for v in self.optimizer.variables]
        # A slot of zeros is kept as one 0.
        starts = [value if value.any() else 0 for value in values]
        self._optimizer_starts = lambda: starts
        self.initial_learning_rate = keras_internals.initial_rate(self.optimizer)
        given = {"loss": loss, "metrics": metrics}
        if weighted_metrics is not None:
            given["weighted_metrics"] = weighted_metrics
        self._loss_and_metrics = lambda: given
        outputs = {"weight_per": weight_per, "ignore_class": ignore_class}
        defaults = {"weight_per": "example", "ignore_class": None}
        stated = {k: v for k, v in outputs.items() if v != defaults[k]}
        self.outputs_of_compile: dict[str, Any] = stated

    def _adjust_logits(
        self,
        strength: float,
        class_counts: Sequence[float] | np.ndarray | None,
        target_shares: Sequence[float] | None,
    ) -> None:
        if NON_NEGATIVE.check("logit_adjustment", strength) == 0:
            self.logit_adjustment = None
            return
        if class_counts is None:
            raise ValueError(
                "class_counts: expected the number of training examples of each class with "
                "logit_adjustment, received none"
            )
        self.logit_adjustment = LogitAdjustment(class_counts, strength, target_shares)
        self.logit_adjustment.offset_of(self.classifier)

    def choose_variables(self) -> None:
        """Called by `compile`, when it is known which variables are trainable. Default: nothing."""

    def check_variables(self) -> None:
        """Refuses a classifier whose trainable variables have changed since `compile`.

        Raises:
            ValueError: naming a variable.
        """
        if self.compiled:
            known = self._variables_at_compile()
            cure = "call compile again"
            check_same_variables(self.classifier, known, "when compile was called", cure)

    def reset_optimizer(self) -> None:
        """Resets the optimizer to its first step: counter, slots and learning rate."""
        for variable, start in zip(self.optimizer.variables, self._optimizer_starts(), strict=True):
            variable.assign(keras.ops.full(variable.shape, start, variable.dtype))

    def constructor_arguments(self) -> dict[str, Any]:
        """The constructor's arguments besides the classifier, by name: what a saved model holds.

        A subclass with another constructor overrides this with the arguments of its own.
        """
        return {"training_objective": self.training_objective}

    def get_config(self) -> dict[str, Any]:
        arguments = {"classifier": self.classifier, **self.constructor_arguments()}
        return {**super().get_config(), **keras.saving.serialize_keras_object(arguments)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**{k: _deserialised(v) for k, v in config.items()})

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        if len(self._tuned_on):
            store[_TUNED_ON] = self._tuned_on.view(np.uint8)

    def load_own_variables(self, store: Any) -> None:
        own = {name: store[name] for name in list(store.keys())}  # not every store has more
        tuned_on = np.array(own.pop(_TUNED_ON, ()), np.uint8)
        super().load_own_variables(own)
        self._tuned_on = tuned_on.view("V16")

    def get_compile_config(self) -> dict[str, Any]:
        if not self.compiled:
            return {}
        given = {"optimizer": self.optimizer, **self._loss_and_metrics()}
        if self.logit_adjustment is not None:
            given |= self.logit_adjustment.arguments()
        if self.fused_batch_norm != FUSED_BATCH_NORM.default:
            given["fused_batch_norm"] = self.fused_batch_norm
        given |= self.outputs_of_compile
        return keras.saving.serialize_keras_object(given)

    @property
    def loss_of_compile(self) -> Any:
        """The loss as it was given to `compile`."""
        return self._loss_and_metrics()["loss"]

    def compile_from_config(self, config: dict[str, Any]) -> None:
        self.compile(**{k: keras.saving.deserialize_keras_object(v) for k, v in config.items()})


def _deserialised(value: Any) -> Any:
    """A part of a config: Keras objects are dicts that name their class."""
    is_object = isinstance(value, dict) and "class_name" in value
    return keras.saving.deserialize_keras_object(value) if is_object else value
