"""The frame that all methods share: a keras.Model that trains the user's own classifier."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.engine.keras_internals import step_counter
from tf_mwn.engine.linearise import Linearisation
from tf_mwn.engine.objective import TrainingBatch, TrainingObjective, logits_gradient
from tf_mwn.engine.optimizers import apply_gradient, loss_scale
from tf_mwn.engine.options import FUSED_BATCH_NORM
from tf_mwn.engine.replicas import logits_of_share, num_replicas
from tf_mwn.losses.per_example import per_example_loss
from tf_mwn.tensors import Element, Inputs, Labels, Logits, Logs, Losses, Tensor
from tf_mwn.training.checks.labels import check_labels, has_classes
from tf_mwn.training.checks.outputs import LogitsSpec
from tf_mwn.training.classifiers import check_classifier
from tf_mwn.training.compiled import Compiled
from tf_mwn.training.elements import is_training_element, unpacked
from tf_mwn.training.logit_adjustment import LogitAdjustment
from tf_mwn.training.phases import Phases


@keras.saving.register_keras_serializable(package="tf_mwn")
class RobustModel(Compiled):
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
    # Whether the weights that the objective gives are used; a method may test them first.
    trusts_weights = True
    # The name of the method in messages, and what it looks at, where the registry has made it.
    registered: tuple[str, str] | None = None

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
        self._tuned_on = np.zeros(0, "V16")  # keys of the clean examples of last phases
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

    def state_variables(self) -> list[keras.Variable]:
        """All state that steps change, in a stable order; what an exact checkpoint holds."""
        return [*self.variables, *self.optimizer.variables]

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
        step = tf.convert_to_tensor(step_counter(self.optimizer))
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

    def learned_weights_at(
        self, labels: Labels, logits: Logits, sample_id: Tensor | None
    ) -> Tensor | None:
        """As `weights_at`; the weights that are learned also while `trusts_weights` is False."""
        return self.weights_at(labels, logits, sample_id)

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
