"""The bilevel training step: any meta-learner, any classifier."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_mwn.checks import check_count
from tf_mwn.engine import options as engine_options
from tf_mwn.engine.keras_internals import steps_taken
from tf_mwn.engine.linearise import Linearisation
from tf_mwn.engine.meta_loss import meta_loss_gradient
from tf_mwn.engine.meta_schedule import WARM_UP, meta_schedule, warm_up_lengths
from tf_mwn.engine.objective import TrainingBatch
from tf_mwn.engine.optimizers import apply_gradient, loss_scale, without_loss_scale
from tf_mwn.engine.preconditioner import rule_of
from tf_mwn.engine.replicas import all_reduce_sum, first_row
from tf_mwn.engine.virtual_step import (
    VirtualStep,
    optimizer_step,
    plain_step,
    preconditioned_step,
)
from tf_mwn.tensors import Element, Logits, Tensor
from tf_mwn.training.classifiers import (
    VirtualVariables,
    check_forward_mode,
    select_variables,
)
from tf_mwn.training.meta_learner import MetaLearner
from tf_mwn.training.phases import Phases
from tf_mwn.training.robust_model import RobustModel

# Options that subclasses with their own step do not have.
OWN_STEP = (
    "virtual_variables",
    "virtual_step",
    "meta_fraction",
    "meta_start",
    "reuse_gradient",
    "recompute",
)


@keras.saving.register_keras_serializable(package="tf_mwn")
class MetaLearnedModel(RobustModel):
    """Trains a classifier and, on the meta set, the Θ of its training objective.

    A step linearises the classifier on the training batch. It then follows Meta-Weight-Net's
    algorithm: 5, virtual weights ŵ; 6, meta gradient at ŵ and update of Θ; 7, actual update of w by
    the same forward pass and the new Θ.

    Every `meta_interval`-th step updates Θ by its exact meta gradient
    -α ∇_Θ <∂T/∂z(z, y; Θ), J u>, with u the gradient of the meta loss at ŵ = w - α g. Every step
    updates w with the newest Θ. The meta loss is the mean per-example loss of the meta batch.
    Neither the virtual nor the meta pass changes any state.

    Args:
        classifier: built Keras model that returns logits [B, C].
        meta_learner: the owner of Θ.
        virtual_variables: what the virtual step moves, "all" being exact; see
            `tf_mwn.training.classifiers.select_variables`. The others stay at w.
        meta_interval: k; Θ is updated at steps 0, k, 2k, ...; with 0 never.
        virtual_step: "plain" SGD at the classifier's current learning rate (the paper);
            "optimizer": with the momentum and weight decay of `keras.optimizers.SGD`;
            "preconditioned": ŵ = w - D g with the diagonal D of an adaptive optimizer, see
            `preconditioned_step`; "auto": plain under SGD, else preconditioned. At Adam's small
            learning rate a plain step is so short that Θ hardly moves.
        meta_fraction: 1/k: the meta update learns from every k-th example of the global training
            batch, linearised by itself. It is the exact meta gradient of that smaller batch. The
            meta batch is used whole: `meta_batch_size` of the stream says how large it is.
        meta_start: fraction of the epochs, in [0, 1), that train plainly on the per-example loss;
            Θ is neither used nor updated in them.
        epochs: of the whole training; needed with `meta_start`.
        reuse_gradient: step 7 uses the gradient of step 5, made with Θ before its update. This
            saves one backward pass, but Θ takes effect one step later. False (the paper) recomputes
            the gradient.
        recompute: the training batch's forward pass runs a second time after the meta pass, and its
            activations are not kept: less memory for one more forward pass, and the same numbers.
            Not under XLA, and not with recurrent layers.
        speed: "exact", or "fast" for meta_fraction=1/4 and meta_interval=5.
            The meta gradient stays exact, of a quarter of the batch; docs/performance.md has what
            that costs.

    Examples:
        >>> model = tf_mwn.MetaLearnedModel(classifier, tf_mwn.WeightNet(), speed="fast")
        >>> model.compile("sgd", meta_optimizer="adam")
        >>> history = model.fit(pairs, verbose=0)
        >>> sorted(history.history)
        ['loss', 'mean_weight', 'meta_loss']

    See Also:
        - `MetaLearner`: the owner of Θ; how to write one.
        - `MetaWeightNet`: this model with a weight net.
    """

    needs_meta_set = True
    differentiates_twice = True
    # Whether `virtual_step` is an option. Where it is not, an optimizer without a diagonal has a
    # plain virtual step, for the user could not ask for one.
    offers_virtual_steps = True

    def __init__(
        self,
        classifier: keras.Model,
        meta_learner: MetaLearner,
        virtual_variables: VirtualVariables = engine_options.VIRTUAL_VARIABLES.default,
        meta_interval: int = engine_options.META_INTERVAL.default,
        virtual_step: str = engine_options.VIRTUAL_STEP.default,
        reuse_gradient: bool = engine_options.REUSE_GRADIENT.default,
        recompute: bool = engine_options.RECOMPUTE.default,
        speed: str = engine_options.SPEED.default,
        meta_fraction: float = engine_options.META_FRACTION.default,
        meta_start: float = engine_options.META_START.default,
        epochs: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(classifier, meta_learner, **kwargs)
        self._start_late(meta_start, epochs)
        schedule = meta_schedule(speed, meta_interval, meta_fraction, reuse_gradient)
        self.speed = speed
        self.meta_interval, self.meta_fraction = schedule.interval, 1 / schedule.every
        self.reuse_gradient, self._every = schedule.reuses, schedule.every
        self.recompute = engine_options.RECOMPUTE.check(recompute)
        if recompute:
            check_forward_mode(classifier)
        self.virtual_variables = virtual_variables
        self.choose_variables()
        self.virtual_step = engine_options.VIRTUAL_STEP.check(virtual_step)
        self.meta_loss_metric = keras.metrics.Mean(name="meta_loss")

    def _start_late(self, meta_start: float, epochs: int | None) -> None:
        self.meta_start = engine_options.META_START.check(meta_start)
        self._epochs = None if epochs is None else check_count("epochs", epochs)
        if not meta_start:
            return
        if epochs is None:
            raise ValueError(
                "epochs: expected the number of all epochs with meta_start, received none"
            )
        self.phases = Phases(self, warm_up_lengths(epochs, meta_start))

    @property
    def is_warming_up(self) -> bool:
        """Whether the current epoch trains plainly, before a late start."""
        return self.phases is not None and self.phases.current == WARM_UP

    def choose_variables(self) -> None:
        """Selects what the virtual step moves among the variables that are trainable now."""
        chosen = select_variables(self.classifier, self.virtual_variables)
        self.virtual_selection = tuple(chosen)

    @property
    def meta_learner(self) -> MetaLearner:
        """The owner of Θ: the training objective."""
        return self.training_objective

    def compile(  # type: ignore[override]  # the meta optimizer stands second
        self,
        optimizer: Any,
        meta_optimizer: Any = "adam",
        loss: Any = None,
        metrics: Any = None,
        jit_compile: bool | str = "auto",
        **kwargs: Any,
    ) -> None:
        """As `RobustModel.compile`, plus `meta_optimizer` for Θ (Adam at 1e-3 by default)."""
        if self.recompute:
            if jit_compile is True:
                raise ValueError("jit_compile: expected False with recompute=True, received True")
            jit_compile = False
        super().compile(optimizer, loss, metrics, jit_compile, **kwargs)
        inner = without_loss_scale(self.optimizer)
        self._check_virtual_step(inner)
        if self.meta_interval > 1 and self.steps_per_execution != 1:
            raise ValueError(
                "steps_per_execution: expected 1 with meta_interval > 1, "
                f"received {self.steps_per_execution}"
            )
        self.meta_optimizer = _optimizer(meta_optimizer)
        if inner is not self.optimizer and without_loss_scale(self.meta_optimizer) is (
            self.meta_optimizer
        ):
            # The meta gradient passes through the classifier in float16 as well.
            self.meta_optimizer = keras.optimizers.LossScaleOptimizer(self.meta_optimizer)
        self.meta_optimizer.build(self.meta_learner.trainable_variables)

    def _check_virtual_step(self, optimizer: keras.optimizers.Optimizer) -> None:
        """Refuses an optimizer that the virtual step cannot follow."""
        is_sgd, name = isinstance(optimizer, keras.optimizers.SGD), type(optimizer).__name__
        if self.virtual_step == "optimizer" and not is_sgd:
            raise ValueError(
                f"virtual_step: expected keras.optimizers.SGD with 'optimizer', received {name}"
            )
        if self._preconditions(optimizer) and rule_of(optimizer) is None:
            raise ValueError(
                f"virtual_step: expected 'plain' for {name}, which scales no gradient by a "
                f"diagonal of its own, received {self.virtual_step!r}"
            )

    def _preconditions(self, optimizer: keras.optimizers.Optimizer) -> bool:
        if self.virtual_step == "auto":
            scales = not isinstance(optimizer, keras.optimizers.SGD)
            return scales and (self.offers_virtual_steps or rule_of(optimizer) is not None)
        return self.virtual_step == "preconditioned"

    def state_variables(self) -> list[keras.Variable]:
        return [*super().state_variables(), *self.meta_optimizer.variables]

    @property
    def training_metrics(self) -> list[keras.metrics.Metric]:
        return [*super().training_metrics, self.meta_loss_metric]

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        every = super().metrics
        if self.meta_interval and (self._step_kind is None or self._step_kind[0] != WARM_UP):
            return every
        return [metric for metric in every if metric is not self.meta_loss_metric]

    def step_kind(self) -> tuple[Hashable, bool]:
        """The phase, and whether the step updates Θ.

        The optimizer's counter decides, so that a restored optimizer continues the schedule.
        """
        if self.meta_interval < 2:
            return super().step_kind(), self.meta_interval == 1
        return super().step_kind(), steps_taken(self.optimizer) % self.meta_interval == 0

    @property
    def updates_theta(self) -> bool:
        """Whether the step that is being taken updates Θ."""
        if self.is_warming_up or not self.meta_interval:
            return False
        return self._step_kind is None or self._step_kind[1]

    def learn_objective(
        self, linear: Linearisation, batch: TrainingBatch, element: Element
    ) -> tuple[Logits, Tensor | None] | None:
        """Θ ← meta_optimizer(meta gradient), at meta steps."""
        if not self.updates_theta:
            return None
        if self._every > 1:
            linear, batch = self.part_of(linear, batch)
        gradient, taken = self.meta_gradient_and_step(linear, batch, element)
        apply_gradient(self.meta_optimizer, gradient, self.meta_learner.trainable_variables)
        self.meta_learner.project()
        return taken if self.reuse_gradient else None

    def logits_gradient(self, logits: Logits, batch: TrainingBatch) -> tuple[Logits, Tensor | None]:
        if self.is_warming_up:
            return self.plain_gradient(logits, batch), None
        return super().logits_gradient(logits, batch)

    def part_of(
        self, linear: Linearisation, batch: TrainingBatch
    ) -> tuple[Linearisation, TrainingBatch]:
        """Every k-th example of the global batch, linearised by itself, and its labels."""
        start = -first_row(tf.shape(linear.logits)[0]) % self._every

        def rows(x: Tensor) -> Tensor:
            return x[start :: self._every]

        part = self.linearise(tf.nest.map_structure(rows, linear.inputs))
        return part, batch.part(rows)

    def meta_gradient(
        self, linear: Linearisation, batch: TrainingBatch, element: Element
    ) -> list[Tensor]:
        """-c ∇_Θ <∂T/∂z, J u> on one training and one meta batch (this replica's share)."""
        return self.meta_gradient_and_step(linear, batch, element)[0]

    def meta_gradient_and_step(
        self, linear: Linearisation, batch: TrainingBatch, element: Element
    ) -> tuple[list[Tensor], tuple[Logits, Tensor | None]]:
        """The meta gradient, and the result of `logits_gradient` for the virtual step."""
        with tf.GradientTape() as meta_tape:
            cotangent, weights = self.logits_gradient(linear.logits, batch)
        selection, scale = self.virtual_selection, loss_scale(self.meta_optimizer)
        gradient, pushforward = linear.pullback_and_pushforward(
            cotangent, selection, to_all=self.reuse_gradient
        )
        virtual = self._step_virtually(linear, all_reduce_sum(gradient))
        direction = all_reduce_sum(self._meta_loss_gradient(linear, virtual.weights, element))
        direction = virtual.transposed(direction)
        # The transpose of the replica's own pullback: not reduced, or it would count N times.
        if self.recompute:
            tangent = linear.renew_and_push_forward(direction, selection, scale)
        else:
            tangent = pushforward(direction, scale)
        learned = meta_tape.gradient(
            cotangent,
            self.meta_learner.trainable_variables,
            output_gradients=-tf.cast(virtual.rate, tangent.dtype) * tangent,
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        return learned, (cotangent, weights)

    def _step_virtually(self, linear: Linearisation, gradient: Sequence[Tensor]) -> VirtualStep:
        weights = [linear.weights[i] for i in self.virtual_selection]
        optimizer = without_loss_scale(self.optimizer)
        if self.virtual_step == "optimizer":
            return optimizer_step(weights, gradient, optimizer, self.virtual_selection)
        if self._preconditions(optimizer):
            return preconditioned_step(weights, gradient, optimizer, self.virtual_selection)
        return plain_step(weights, gradient, self.optimizer.learning_rate)

    def _meta_loss_gradient(
        self, linear: Linearisation, virtual: Sequence[Tensor], element: Element
    ) -> list[Tensor]:
        """u = ∇ L_meta(ŵ) in the variables of the virtual step (this replica's share)."""
        gradient, losses = meta_loss_gradient(
            self.classifier,
            linear,
            self.virtual_selection,
            virtual,
            element["meta_inputs"],
            lambda logits: self.per_example_loss(element["meta_labels"], logits),
            loss_scale(self.meta_optimizer),
        )
        self.meta_loss_metric.update_state(losses)
        return gradient

    def constructor_arguments(self) -> dict[str, Any]:
        return {"meta_learner": self.meta_learner, **self.step_arguments()}

    def step_arguments(self) -> dict[str, Any]:
        """The constructor's arguments that say how a step is taken."""
        schedule = {
            "meta_interval": self.meta_interval,
            "meta_fraction": self.meta_fraction,
            "reuse_gradient": self.reuse_gradient,
        }
        return {
            "virtual_variables": self.virtual_variables,
            "virtual_step": self.virtual_step,
            "recompute": self.recompute,
            **({"meta_start": self.meta_start, "epochs": self._epochs} if self.meta_start else {}),
            **(schedule if self.speed == "exact" else {"speed": self.speed}),
        }

    def get_compile_config(self) -> dict[str, Any]:
        config = super().get_compile_config()
        if config:
            meta_optimizer = keras.saving.serialize_keras_object(self.meta_optimizer)
            config["meta_optimizer"] = meta_optimizer
        return config


def _optimizer(given: Any) -> keras.optimizers.Optimizer:
    try:
        return keras.optimizers.get(given)
    except (ValueError, TypeError):
        raise ValueError(
            "meta_optimizer: expected an optimizer of Keras or its name as second argument of "
            f"compile, received {given!r}; a loss is given as loss="
        ) from None


def refuse_engine_options(options: Mapping[str, Any]) -> None:
    """Refuses options that have no effect in a subclass with its own step.

    Raises:
        TypeError: naming the first one given.
    """
    for name in (*OWN_STEP, "speed"):
        if name in options:
            value = options[name]
            raise TypeError(
                f"{name}: expected only with the step of MetaLearnedModel, received {value!r}"
            )
