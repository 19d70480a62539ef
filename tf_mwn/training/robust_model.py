"""The frame that all methods share: a keras.Model that trains the user's own classifier."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.checks import NON_NEGATIVE
from tf_mwn.engine.fused_batch_norm import check_fits
from tf_mwn.engine.linearise import Linearisation
from tf_mwn.engine.objective import TrainingBatch, TrainingObjective, logits_gradient
from tf_mwn.engine.optimizers import apply_gradient, loss_scale
from tf_mwn.engine.options import FUSED_BATCH_NORM
from tf_mwn.engine.replicas import logits_of_share, num_replicas
from tf_mwn.losses.per_example import per_example_loss
from tf_mwn.tensors import Element, Inputs, Labels, Logits, Logs, Losses, Tensor
from tf_mwn.training.checks.labels import check_labels, has_classes
from tf_mwn.training.checks.outputs import LogitsSpec
from tf_mwn.training.classifiers import (
    check_classifier,
    check_has_classes,
    check_same_variables,
    check_trainable,
    num_classes,
    resolve_jit_compile,
)
from tf_mwn.training.elements import is_training_element, unpacked
from tf_mwn.training.logit_adjustment import LogitAdjustment
from tf_mwn.training.loops import Loops
from tf_mwn.training.metrics import metrics_on_logits
from tf_mwn.training.phases import Phases


@keras.saving.register_keras_serializable(package="tf_mwn")
class RobustModel(Loops):
    """Wraps a built Keras classifier that returns logits, and trains the classifier itself.

    It minimises a training objective T(z, y) of the logits plus the classifier's own losses.

    Training elements are `({"inputs", "sample_id", ...}, labels)`, see
    `tf_mwn.paired_dataset`; evaluation elements are `(inputs, labels)`, as for any Keras model.
    "loss" in the logs is the plain mean of the per-example loss, in training as in evaluation, so
    that methods can be compared. The weights that a user gives the examples enter it as in Keras.

    Args:
        classifier: built functional, Sequential or subclassed model; one output, logits [B, C], or
            [B, .., C] with an output at each position, or numbers [B].
        training_objective: T.

    Raises:
        TypeError, ValueError: a classifier that `check_classifier` refuses.

    Examples:
        >>> model = tf_mwn.RobustModel(classifier, tf_mwn.MeanLoss())
        >>> model.compile("sgd", metrics=["accuracy"])
        >>> history = model.fit(pairs, verbose=0)
        >>> sorted(model.evaluate(x, y, verbose=0, return_dict=True))
        ['accuracy', 'loss']

    See Also:
        - `CrossEntropy`: its simplest subclass.
        - `MetaLearnedModel`: that of objectives that learn.
    """

    # Whether training elements must hold a meta batch.
    needs_meta_set = False
    # Whether a step reads the training batch, not its meta batch alone.
    reads_training_set = True
    # Whether `whole_sets` must be set before training.
    needs_whole_sets = False
    # Whether a step needs the derivative J u of the logits, and `virtual_selection` says in what.
    differentiates_twice = False
    # Whether the method keeps state for each trainable variable, or a second classifier.
    has_state_of_variables = False
    # Whether the weights that the objective gives are used; a method may test them first.
    trusts_weights = True
    # The name of the method in messages, and what it looks at, where the registry has made it.
    registered: tuple[str, str] | None = None
    # In closures, so that Keras does not track what they return.
    _variables_at_first: Callable[[], tuple[keras.Variable, ...]]
    _variables_at_compile: Callable[[], tuple[keras.Variable, ...]]
    _loss_and_metrics: Callable[[], dict[str, Any]]
    _optimizer_starts: Callable[[], Sequence[Any]]
    batch_checks: Callable[[], dict[Any, Any]]

    def __init__(
        self, classifier: keras.Model, training_objective: TrainingObjective, **kwargs: Any
    ) -> None:
        check_classifier(classifier)
        super().__init__(**kwargs)
        self.classifier = classifier
        variables = tuple(classifier.trainable_variables)
        self._variables_at_first = lambda: variables
        self.training_objective = training_objective
        self.loss_metric = keras.metrics.Mean(name="loss")
        self.mean_weight_metric = keras.metrics.Mean(name="mean_weight")
        self.per_example_loss = per_example_loss(None)
        self.logit_adjustment: LogitAdjustment | None = None
        self.fused_batch_norm = FUSED_BATCH_NORM.default
        self.phases: Phases | None = None
        self.whole_sets = None
        self._made = lambda: None  # the whole sets that `fit` made; in a closure as they are data
        self._step_kind: Any = None
        self._steps_of_an_epoch: int | None = None  # of the last `fit`
        self._evaluating = False
        self._gives_weights = False  # known once a step is traced
        self.built = True

    def build(self, input_shape: Any = None) -> None:
        self.built = True

    def call(self, inputs: Inputs, training: bool = False) -> Logits:
        """Logits of `inputs`, or of the "inputs" of a training element."""
        if is_training_element(inputs):
            inputs = inputs["inputs"]
        return self.predicting_classifier(inputs, training=training)

    @property
    def predicting_classifier(self) -> keras.Model:
        """The Keras model whose logits predictions are made from: the classifier.

        A method that corrects the classifier's logits adds layers of Keras, which share its
        variables.
        """
        return self.classifier

    def other_readings(self, logits: np.ndarray) -> dict[str, np.ndarray]:
        """Logits [N, C] that the same training gives besides the predicted `logits`, by name.

        Empty for most methods.
        """
        return {}

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
                `sample_weight`; the meta loss, metrics and predictions see z. See
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

    def state_variables(self) -> list[keras.Variable]:
        """All state that steps change, in a stable order; what an exact checkpoint holds."""
        return [*self.variables, *self.optimizer.variables]

    def reset_optimizer(self) -> None:
        """Resets the optimizer to its first step: counter, slots and learning rate."""
        for variable, start in zip(self.optimizer.variables, self._optimizer_starts(), strict=True):
            variable.assign(keras.ops.full(variable.shape, start, variable.dtype))

    def train_step(self, data: Any) -> Logs:
        element, given = unpacked(data, self.needs_meta_set)
        inputs, labels, *rest = self.training_part(element, given)
        batch = self.training_batch(labels, *rest)
        linear = self.linearise(inputs)
        self.training_objective.observe(*self.seen(tf.stop_gradient(linear.logits), batch))
        taken = self.learn_objective(linear, batch, element)
        cotangent, weights = taken or self.step_gradient(linear.logits, batch)
        self.actual_step(linear, cotangent)
        logits = linear.unadjusted_logits
        return self.update_metrics(element, labels, logits, batch.sample_weight, weights)

    def linearise(
        self,
        inputs: Inputs,
        network: keras.Model | None = None,
        optimizer: keras.optimizers.Optimizer | None = None,
    ) -> Linearisation:
        """The forward pass of the classifier, or of another network, on a training batch."""
        scale = loss_scale(optimizer or self.optimizer)
        network = network or self.predicting_classifier
        fuses = self.fused_batch_norm != "off"
        return Linearisation(network, inputs, scale, self.adjusted, fuses)

    def adjusted(self, logits: Logits) -> Tensor:
        """The logits [B, C] as the training objective sees them: z + τ ln(π/ρ)."""
        return logits if self.logit_adjustment is None else self.logit_adjustment(logits)

    def training_part(self, element: Element, labels: Labels) -> tuple[Any, ...]:
        """What the classifier's step is taken on: inputs, labels, ids and `sample_weight` of `fit`.

        Labels are [B]; ids and weights are [B] or None.
        """
        return element["inputs"], labels, element["sample_id"], element.get("sample_weight")

    def training_batch(
        self, labels: Labels, sample_id: Tensor | None, sample_weight: Tensor | None = None
    ) -> TrainingBatch:
        """The batch as the objective sees it: labels [B]; ids and weights [B] or None."""
        step = tf.convert_to_tensor(self.optimizer.iterations)
        return TrainingBatch(labels, self.per_example_loss, sample_id, step, sample_weight)

    def logits_gradient(self, logits: Logits, batch: TrainingBatch) -> tuple[Logits, Tensor | None]:
        """∂T/∂z [B, C] of the training objective, and the weights [B] or None."""
        return logits_gradient(
            lambda z: self.training_objective.objective(*self.seen(z, batch)), logits
        )

    def seen(self, logits: Logits, batch: TrainingBatch) -> tuple[Tensor, TrainingBatch]:
        """Logits and batch as the objective sees them: a row for all that has its own weight."""
        loss = self.per_example_loss
        outputs = loss.outputs(batch.labels, logits)
        if outputs is None:
            return logits, batch
        if loss.weight_per == "output":
            ids = batch.sample_id
            if ids is not None:
                ids = tf.gather(ids * tf.cast(outputs.of_each, ids.dtype), outputs.example)
                ids += tf.cast(outputs.place % outputs.of_each, ids.dtype)
            rows = dataclasses.replace(
                batch.part(outputs.rows),
                labels=outputs.row_labels,
                per_example_loss=loss.of_rows,
                sample_id=ids,
            )
            return outputs.row_logits, rows
        return outputs.examples(logits), batch.part(outputs.examples)

    def plain_gradient(self, logits: Logits, batch: TrainingBatch) -> Tensor:
        """∂T/∂z [B, C] of the mean per-example loss."""

        def mean(z: Logits) -> tuple[Tensor, None]:
            z, rows = self.seen(z, batch)
            return rows.mean(rows.losses(z)), None

        return logits_gradient(mean, logits)[0]

    def step_gradient(self, logits: Logits, batch: TrainingBatch) -> tuple[Logits, Tensor | None]:
        """As `logits_gradient`, for the classifier's step. Default: the same."""
        return self.logits_gradient(logits, batch)

    def learn_objective(
        self, linear: Linearisation, batch: TrainingBatch, element: Element
    ) -> tuple[Logits, Tensor | None] | None:
        """Updates the objective before the classifier's step. Default: nothing.

        Returns:
            None, or an earlier result of `logits_gradient` that the step uses again.
        """

    def actual_step(self, linear: Linearisation, cotangent: Tensor) -> None:
        """w ← optimizer(Jᵀ ∂T/∂z), plus the gradient of the classifier's own losses."""
        # Every replica holds the same regularisers, and the optimizer sums over replicas.
        gradient = linear.pullback(cotangent, regularisation_scale=1.0 / num_replicas())
        apply_gradient(self.optimizer, gradient, self.classifier.trainable_variables)
        linear.commit()

    def update_metrics(
        self,
        inputs: Inputs,
        labels: Labels,
        logits: Logits,
        sample_weight: Tensor | None = None,
        weights: Tensor | None = None,
    ) -> Logs:
        """Updates "loss" and the compiled metrics; the results of all metrics.

        As in Keras, "loss" is the mean of the losses, each times its weight in `sample_weight`.

        Args:
            inputs, labels, logits: of a batch.
            sample_weight: [B] as given by the user, or None.
            weights: [B] that the method gave the examples, or None.
        """
        losses = self.per_example_loss(labels, logits)
        counts = self.counts(labels, logits, sample_weight)
        labels, logits, sample_weight = self.of_metrics(labels, logits, sample_weight)
        if counts is not None:
            losses *= tf.cast(counts, losses.dtype)
        self.loss_metric.update_state(losses)
        if weights is not None:
            self._gives_weights = True
            self.mean_weight_metric.update_state(weights)
        return self.compute_metrics(inputs, labels, logits, sample_weight=sample_weight)

    def counts(self, labels: Labels, logits: Logits, sample_weight: Tensor | None) -> Tensor | None:
        """The weights that a user gives to [B] examples, for each of the losses."""
        outputs = self.per_example_loss.outputs(labels, logits)
        if outputs is None or sample_weight is None:
            return sample_weight
        of_each = self.per_example_loss.weight_per == "output"
        return (outputs.rows if of_each else outputs.examples)(tf.convert_to_tensor(sample_weight))

    def of_metrics(
        self, labels: Labels, logits: Logits, sample_weight: Tensor | None = None
    ) -> tuple[Labels, Logits, Tensor | None]:
        """What metrics see: the valid positions of all examples in rows."""
        outputs = self.per_example_loss.outputs(labels, logits)
        if outputs is None or outputs.splits:
            return labels, logits, sample_weight
        if sample_weight is not None:
            sample_weight = outputs.rows(tf.convert_to_tensor(sample_weight))
        return outputs.row_labels, outputs.row_logits, sample_weight

    def sample_weight(
        self, labels: Labels, logits: Logits, sample_id: Tensor | None = None
    ) -> Tensor | None:
        """The weight the objective gives each example now, [B]; None if it gives none.

        With `weight_per="output"` it is the weight of each output, [B, ..] like the logits without
        their last axis, or [B, K]. What `ignore_class` leaves out has the weight 0.

        Args:
            labels: given labels, [B] or [B, C].
            logits: of the classifier, [B, C].
            sample_id: [B]; objectives that keep a history of each example need it.
        """
        labels, logits = tf.convert_to_tensor(labels), tf.convert_to_tensor(logits)
        weights = self.weights_at(labels, self.adjusted(logits), sample_id)
        outputs = self.per_example_loss.outputs(labels, logits)
        if outputs is None or weights is None:
            return weights
        if self.per_example_loss.weight_per == "output":
            return outputs.laid_out(weights)
        return outputs.laid_out_examples(weights)

    def weights_at(self, labels: Labels, logits: Logits, sample_id: Tensor | None) -> Tensor | None:
        """The weights [N] of all that has one, at logits that are adjusted already."""
        seen = self.seen(logits, self.training_batch(labels, sample_id))
        return self.training_objective.objective(*seen)[1]

    def training_loss(self, labels: Labels, logits: Logits) -> Losses:
        """The per-example loss [B] that the objective sees at the classifier's logits [B, C]."""
        return self.per_example_loss(labels, self.adjusted(logits))

    def artifacts(self) -> dict[str, Callable[[Path], None]]:
        """Files for the folder of a finished run: file name -> function that writes to a path."""
        return {}

    def test_step(self, data: Any) -> Logs:
        inputs, labels, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        logits = logits_of_share(lambda x: self(x, training=False), inputs)
        return self.update_metrics(inputs, labels, logits, sample_weight)

    @property
    def training_metrics(self) -> list[keras.metrics.Metric]:
        """Metrics of the training step alone, which `evaluate` leaves out."""
        return [self.mean_weight_metric]

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        # Keras' own "loss" is that of its `compute_loss`, which no step here calls.
        hidden = {id(self._loss_tracker), id(self.loss_metric)}
        if self._evaluating:
            hidden |= {id(metric) for metric in self.training_metrics}
        if not self._gives_weights:
            hidden.add(id(self.mean_weight_metric))  # its value of 0 has no meaning
        return [self.loss_metric, *(m for m in super().metrics if id(m) not in hidden)]

    def constructor_arguments(self) -> dict[str, Any]:
        """The constructor's arguments besides the classifier, by name: what a saved model holds.

        A subclass with another constructor overrides this with the arguments of its own.
        """
        return {"training_objective": self.training_objective}

    def get_config(self) -> dict[str, Any]:
        arguments = {"classifier": self.classifier, **self.constructor_arguments()}
        return {**super().get_config(), **keras.saving.serialize_keras_object(arguments)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "RobustModel":
        return cls(**{k: _deserialised(v) for k, v in config.items()})

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
    def sees(self) -> str:
        """What the method looks at: "losses", "labels", ..; see `TrainingObjective`."""
        return self.registered[1] if self.registered else self.training_objective.sees

    def has_classes(self, labels: Labels, logits: Logits) -> bool:
        """Whether labels [B, ..] say of each example which of several classes it has.

        Then logits are [B, C], or [B, 1] of two classes, and the loss is one of classes.
        """
        spec = tf.TensorSpec([None, *labels.shape[1:]], tf.as_dtype(labels.dtype))
        known = LogitsSpec(tuple(logits.shape[1:]))
        return has_classes(check_labels(self.per_example_loss, "y", spec, known), known)

    @property
    def method_name(self) -> str:
        """The name of the method in messages."""
        own = type(self) is not RobustModel
        kind = type(self if own else self.training_objective).__name__
        return self.registered[0] if self.registered else kind

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
