"""A mixture of architectures with shares that are learned on the meta set."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_mwn.engine import options as engine_options
from tf_mwn.engine.linearise import Linearisation, functional_call
from tf_mwn.engine.meta_loss import meta_loss_gradient
from tf_mwn.engine.objective import TrainingBatch
from tf_mwn.engine.optimizers import loss_scale
from tf_mwn.engine.replicas import all_reduce_sum, global_mean
from tf_mwn.methods.hyper_parameters import specs
from tf_mwn.methods.hyper_parameters.branch_gate import BranchGate
from tf_mwn.tensors import Element, Inputs, Labels, Logits, Logs, Losses, Tensor
from tf_mwn.training.classifiers import with_features
from tf_mwn.training.elements import is_training_element, unpacked
from tf_mwn.training.meta_learned import MetaLearnedModel, refuse_engine_options

# Names of the two layers that identify a gated classifier.
_BRANCHES, _GATE = "branches", "gate"


def gated_classifier(inputs: Inputs, logits: Sequence[Logits]) -> keras.Model:
    """A functional model with the logits Σ_k a_k z_k, a_k = 1/K, made of Keras layers only.

    Args:
        inputs: a `keras.Input`, or a list of them.
        logits: the logits z_k of K branches, each [B, C] and computed from `inputs`. The branches
            may share layers.

    Raises:
        ValueError: fewer than two branches, or logits of different shapes.

    Examples:
        >>> inputs = keras.Input((4,))
        >>> branches = [keras.layers.Dense(2)(inputs), keras.layers.Dense(2)(abs(inputs))]
        >>> tf_mwn.gated_classifier(inputs, branches).output_shape
        (None, 2)

    See Also:
        `ArchitectureGate`: learns the mixture.
    """
    shapes = {tuple(z.shape) for z in logits}
    if len(logits) < 2 or len(shapes) > 1 or len(logits[0].shape) != 2:
        raise ValueError(
            "logits: expected two branches or more, all of one shape [B, C], received "
            f"{', '.join(str(tuple(z.shape)) for z in logits) or 'none'}"
        )
    number, classes = len(logits), logits[0].shape[-1]
    full = {"dtype": keras.config.floatx()}  # whatever the precision of the branches
    branches = keras.layers.Concatenate(name=_BRANCHES, **full)(list(logits))
    gate = keras.layers.EinsumDense(
        "bkc,k->bc",
        output_shape=(classes,),
        kernel_initializer=keras.initializers.Constant(1 / number),
        trainable=False,
        name=_GATE,
        **full,
    )
    parts = keras.layers.Reshape((number, classes), **full)(branches)
    return keras.Model(inputs, gate(parts))


@keras.saving.register_keras_serializable(package="tf_mwn")
class ArchitectureGate(MetaLearnedModel):
    """Trains a classifier of several branches, and learns their mixture on the meta set.

    The logits are z = Σ_k a_k z_k with a = softmax(Θ). All branches train on z. Θ minimises the
    meta loss at ŵ = w - α ∇_w T(w, Θ), which depends on Θ in two places:

        ∇_Θ L_meta(ŵ, Θ) = ∂L_meta/∂Θ - α ∇_Θ <∂T/∂(z_1..z_K), J u>,    u = ∂L_meta/∂w at ŵ

    One directional derivative of the branches' logits gives the second term exactly. The paper
    takes a difference of two gradients instead.

    This model always uses the newest shares; the gate of `classifier` gets them when an epoch
    ends.

    Args:
        classifier: made by `gated_classifier`.
        gate_order: "second" takes both terms. "first" takes the first term alone, at ŵ = w
            (ξ = 0 in the paper). It costs one forward pass of the meta batch. It rewards the
            branch that fits the meta set now, not the one that learns well from the training set.
        meta_interval: k; Θ is updated at steps 0, k, 2k, ...

    Raises:
        ValueError: another classifier, or an unknown order.

    Examples:
        >>> inputs = keras.Input((4,))
        >>> branches = [keras.layers.Dense(2)(inputs), keras.layers.Dense(2)(abs(inputs))]
        >>> model = tf_mwn.ArchitectureGate(tf_mwn.gated_classifier(inputs, branches))
        >>> model.compile("sgd", meta_optimizer="adam")
        >>> history = model.fit(pairs, verbose=0)
        >>> model.meta_learner.shares().shape
        TensorShape([2])

    See Also:
        - `gated_classifier`: makes the classifier.
        - `LearnedWeightDecay`, `HypergradientDescent`: other learned hyper-parameters.

    References:
        Liu, Simonyan and Yang, DARTS: Differentiable Architecture Search, ICLR 2019,
        https://arxiv.org/abs/1806.09055.
    """

    offers_virtual_steps = False

    def __init__(
        self,
        classifier: keras.Model,
        gate_order: str = specs.GATE_ORDER.default,
        meta_interval: int = engine_options.META_INTERVAL.default,
        **kwargs: Any,
    ) -> None:
        specs.GATE_ORDER.check(gate_order)
        names = [layer.name for layer in getattr(classifier, "layers", [])]
        if _BRANCHES not in names or names[-1] != _GATE:
            raise ValueError(
                "classifier: expected one made by gated_classifier, "
                f"received the layers {', '.join(names) or 'none'}"
            )
        gate = classifier.get_layer(_GATE)
        learned = BranchGate(int(gate.kernel.shape[0]), name="branch_gate")
        refuse_engine_options(kwargs)
        super().__init__(classifier, learned, meta_interval=meta_interval, **kwargs)
        self.gate_order = gate_order
        # It shares the classifier's layers, so it has the same variables in the same order.
        self.branches = keras.Model(classifier.input, classifier.get_layer(_BRANCHES).output)

    def call(self, inputs: Inputs, training: bool = False) -> Tensor:
        """Logits under the newest shares."""
        if is_training_element(inputs):
            inputs = inputs["inputs"]
        return self.meta_learner.mixed(self.branches(inputs, training=training))

    def train_step(self, data: Any) -> Logs:
        element, labels = unpacked(data, self.needs_meta_set)
        counts = element.get("sample_weight")
        batch = self.training_batch(labels, element["sample_id"], counts)
        linear = self.linearise(element["inputs"], self.branches)
        self.learn_objective(linear, batch, element)
        cotangent, _ = self.logits_gradient(linear.logits, batch)
        self.actual_step(linear, cotangent)
        logits = self.meta_learner.mixed(linear.unadjusted_logits)
        return self.update_metrics(element, labels, logits, counts)

    def adjusted(self, logits: Logits) -> Logits:
        """All branches' logits [B, K C], each branch adjusted, or those of the mixture [B, C]."""
        branches, width = self.meta_learner.num_branches, self.classifier.output_shape[-1]
        if self.logit_adjustment is None or logits.shape[-1] != branches * width:
            return super().adjusted(logits)
        parts = tf.split(logits, branches, axis=-1)
        return tf.concat([super(ArchitectureGate, self).adjusted(z) for z in parts], axis=-1)

    def seen(self, logits: Logits, batch: TrainingBatch) -> tuple[Logits, TrainingBatch]:
        """As they are: only the mixture of the branches has the outputs that labels belong to."""
        mixed = self.meta_learner.mixed(logits)
        counts = self.counts(batch.labels, mixed, batch.sample_weight)
        return logits, dataclasses.replace(batch, sample_weight=counts)

    def meta_gradient_and_step(
        self, linear: Linearisation, batch: TrainingBatch, element: Element
    ) -> tuple[list[Tensor], Any]:
        """Both terms, or the first alone (this replica's share)."""
        if self.gate_order == "first":
            logits, _, _ = functional_call(
                self.branches, linear.updates, element["meta_inputs"], linear.fuses
            )
            return [self._direct_term(logits, element["meta_labels"])], None
        with tf.GradientTape() as meta_tape:
            cotangent, _ = self.logits_gradient(linear.logits, batch)
        gradient, pushforward = linear.pullback_and_pushforward(cotangent, self.virtual_selection)
        virtual = self._step_virtually(linear, all_reduce_sum(gradient))
        direction, direct = self._at_virtual_weights(linear, virtual.weights, element)
        direction = virtual.transposed(all_reduce_sum(direction))
        tangent = pushforward(direction, loss_scale(self.meta_optimizer))
        (through_weights,) = meta_tape.gradient(
            cotangent,
            self.meta_learner.trainable_variables,
            output_gradients=-tf.cast(virtual.rate, tangent.dtype) * tangent,
        )
        return [direct + through_weights], None

    def _at_virtual_weights(
        self, linear: Linearisation, virtual: Sequence[Tensor], element: Element
    ) -> Any:
        """u and the first term, from one pass over the meta batch (this replica's shares)."""
        labels, seen = element["meta_labels"], []

        def losses_of(branches: Any) -> Losses:
            seen.append(branches)
            return self.per_example_loss(labels, self.meta_learner.mixed(branches))

        direction, _ = meta_loss_gradient(
            self.branches,
            linear,
            self.virtual_selection,
            virtual,
            element["meta_inputs"],
            losses_of,
            loss_scale(self.meta_optimizer),
        )
        return direction, self._direct_term(seen[0], labels)

    def _direct_term(self, branches: tf.Tensor, labels: Labels) -> tf.Tensor:
        """∂L_meta/∂Θ for constant branches' logits [B, K C] of the meta batch."""
        branches = tf.stop_gradient(branches)
        with tf.GradientTape() as tape:
            losses = self.per_example_loss(labels, self.meta_learner.mixed(branches))
            loss = global_mean(losses)
        self.meta_loss_metric.update_state(losses)
        return tape.gradient(loss, self.meta_learner.trainable_variables)[0]

    def end_epoch(self) -> None:
        super().end_epoch()
        gate = self.classifier.get_layer(_GATE)
        gate.kernel.assign(keras.ops.convert_to_numpy(self.meta_learner.shares()))

    def weights_at(self, labels: Labels, logits: Logits, sample_id: Tensor | None) -> Tensor | None:
        """None: the method gives no weights."""

    def constructor_arguments(self) -> dict[str, Any]:
        return {"gate_order": self.gate_order, "meta_interval": self.meta_interval}


def architecture_gate(
    classifier: keras.Model, gate_units: int = specs.GATE_UNITS.default, **options: Any
) -> ArchitectureGate:
    """A mixture of the classifier's own head and a head with a hidden layer, on the same features.

    Args:
        classifier: built functional or Sequential model with features [B, F] before its last
            layer with weights. Training changes its layers.
        gate_units: width of the second head's hidden layer.
        **options: of `ArchitectureGate`.

    Raises:
        ValueError: a subclassed model, or one whose features or logits have more than one axis.
    """
    outputs = getattr(classifier, "outputs", None)
    if outputs and len(outputs[0].shape) > 2:
        raise ValueError(
            "architecture_gate: expected features and logits [B, C] of one axis, received logits "
            f"of shape {list(outputs[0].shape)}"
        )
    units = specs.GATE_UNITS.check(gate_units)
    features, own = with_features(classifier).outputs
    hidden = keras.layers.Dense(units, activation="relu")(features)
    other = keras.layers.Dense(own.shape[-1])(hidden)
    # A Sequential model that was never called has `inputs`, and no `input`.
    inputs = classifier.inputs[0] if len(classifier.inputs) == 1 else classifier.inputs
    return ArchitectureGate(gated_classifier(inputs, [own, other]), **options)
