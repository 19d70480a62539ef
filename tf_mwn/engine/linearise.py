"""One forward pass of a classifier, with its derivative in both directions."""

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from tf_mwn.engine.fused_batch_norm import fused_batch_norm
from tf_mwn.engine.operations import (
    operations_within,
    refuse_assignments,
    refuse_zero_derivatives,
    second_derivatives,
)
from tf_mwn.engine.replicas import logits_of_share
from tf_mwn.tensors import Assignment, Inputs, Logits, Tensor


def functional_call(
    classifier: keras.Model, values: Sequence[Assignment], inputs: Inputs, fuses: bool = False
) -> tuple[Logits, list[Assignment], list[Tensor]]:
    """Calls `classifier` in training mode with some variables replaced, and changes nothing.

    Args:
        classifier: a built Keras model that returns logits.
        values: pairs (variable, tensor); variables not named keep their current value.
        inputs: what the classifier takes.
        fuses: whether batch norm runs in the kernels of `fused_batch_norm` where they fit.

    Returns:
        logits [B, C] in at least float32; the pairs (variable, new value) that the pass would
        have assigned (batch-norm statistics, dropout seeds); the list of the classifier's own
        losses (regularisers, `add_loss`).

    Raises:
        ValueError: the pass assigns trainable variables.
    """
    with (
        operations_within() as operations,
        keras.StatelessScope(state_mapping=list(values), collect_losses=True) as scope,
    ):
        with fused_batch_norm(fuses):
            logits = logits_of_share(lambda x: classifier(x, training=True), inputs)
        losses = classifier.losses
    given = {id(variable): value for variable, value in values}

    def assigned(variables: Sequence[keras.Variable]) -> list[Assignment]:
        new = [(v, scope.get_current_value(v)) for v in variables]
        return [(v, x) for v, x in new if x is not None and x is not given.get(id(v))]

    refuse_assignments(classifier, operations, assigned(classifier.trainable_variables))
    return _at_least_float32(logits), assigned(classifier.non_trainable_variables), losses


class Linearisation:
    """The logits z = f(x; w) of one training batch, and J = ∂z/∂w as two linear maps.

    The forward pass runs once, on construction; every pullback and pushforward reads its tape.

    Args:
        classifier: a built Keras model that returns logits.
        inputs: what it takes.
        scale: scalar by which numbers are multiplied on their way through the derivative, and
            divided in the end, so that float16 does not lose the small ones; None for 1.
        adjust: z -> z plus a constant; the training objective sees its result. None for z itself.
        fuses: as of `functional_call`.

    Attributes:
        inputs, fuses: as given.
        logits: `adjust(z)`, [B, C]: what the training objective is a function of.
        unadjusted_logits: z, [B, C]: what the classifier predicts from.
        weights: w, the values of the classifier's trainable variables.
        updates: pairs (variable, new value) of the classifier's non-trainable state; `commit`
            assigns them.
        regularisation: scalar, the sum of the classifier's own losses.
    """

    def __init__(
        self,
        classifier: keras.Model,
        inputs: Inputs,
        scale: Tensor | None = None,
        adjust: Callable[[Logits], Logits] | None = None,
        fuses: bool = False,
    ) -> None:
        self._classifier, self.inputs, self._scale = classifier, inputs, scale
        self._adjust, self.fuses = adjust, fuses
        self.weights = [tf.convert_to_tensor(v) for v in classifier.trainable_variables]
        self._run(fuses)

    def _run(self, fuses: bool) -> None:
        named = zip(self._classifier.trainable_variables, self.weights, strict=True)
        # Persistent: the virtual and the actual gradient are two pullbacks of one forward.
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as self._tape:
            self._tape.watch(self.weights)
            z, self.updates, losses = functional_call(
                self._classifier, list(named), self.inputs, fuses
            )
            self._has_losses = bool(losses)
            self.regularisation = tf.add_n(
                [tf.cast(loss, z.dtype) for loss in losses] or [tf.zeros([], z.dtype)]
            )
        self.unadjusted_logits = z
        # Outside the tape: a constant changes no derivative.
        self.logits = z if self._adjust is None else self._adjust(z)
        self._pulled_back: tuple[Tensor | None, list[Tensor]] = None, []

    def renew_and_push_forward(
        self,
        direction: Sequence[Tensor],
        selection: Sequence[int],
        scale: Tensor | None = None,
    ) -> Tensor:
        """Runs the forward pass once more, with its derivative J u, and lets go of the first one.

        For one more forward pass, no activations need memory until u is known, and those of the
        derivative not for long: in forward mode it goes along with the pass, layer by layer. All
        attributes but `updates`, which other passes may have used already, are those of the new
        pass; what was pulled back to all weights before stays known. Not under XLA, which ignores
        control dependencies and merges two equal passes.

        Args:
            direction: u, for the weights numbered in `selection`.
            selection: indices into `weights`; J is restricted to them.
            scale: of u on its passage through the network.

        Returns:
            J u, [B, C].
        """
        updates, pulled_back = self.updates, self._pulled_back
        with tf.control_dependencies(list(direction)):
            self.weights = [tf.identity(w) for w in self.weights]
            self.inputs = tf.nest.map_structure(tf.identity, self.inputs)
        primals = [self.weights[i] for i in selection]
        if scale is not None:
            direction = [tf.cast(scale, u.dtype) * u for u in direction]
        with tf.autodiff.ForwardAccumulator(primals, list(direction)) as forward:
            self._run(fuses=False)  # the kernels have no forward mode
        self.updates, self._pulled_back = updates, pulled_back
        tangent = forward.jvp(self.unadjusted_logits, tf.UnconnectedGradients.ZERO)
        return tangent if scale is None else tangent / tf.cast(scale, tangent.dtype)

    def pullback(self, cotangent: Tensor, regularisation_scale: float = 0.0) -> list[Tensor]:
        """Jᵀ `cotangent` (plus the scaled gradient of `regularisation`) for all weights.

        A `cotangent` that `pullback_and_pushforward` took back to all weights costs nothing more.
        """
        regularises = bool(regularisation_scale) and self._has_losses
        known, gradient = self._pulled_back
        targets, cotangents = [], []
        if cotangent is not known:
            targets, cotangents = [self.unadjusted_logits], [cotangent]
        if regularises:
            targets.append(self.regularisation)
            cotangents.append(tf.cast(regularisation_scale, self.logits.dtype))
        if not targets:
            return gradient
        rest = self._gradient(targets, self.weights, cotangents)
        if cotangent is not known:
            return rest
        return [part + more for part, more in zip(gradient, rest, strict=True)]

    def pullback_and_pushforward(
        self, cotangent: Tensor, selection: Sequence[int], to_all: bool = False
    ) -> tuple[list[Tensor], Callable[..., Tensor]]:
        """The pullback onto the weights numbered in `selection`, and its transpose.

        The pullback is linear in the cotangent, so the derivative of <pullback(d), u> in d is
        J u wherever it is taken: one more reverse pass gives the directional derivative of the
        logits, and no second derivative of the network is needed. Where only the pushforward is
        used, the pullback is pruned from the graph.

        Args:
            cotangent: [B, C].
            selection: indices into `weights`; J is restricted to them.
            to_all: take the cotangent back to all weights, for a `pullback` that follows.

        Returns:
            `Jᵀ cotangent`, a list of tensors, and a function of u, a list like it, and optionally
            of a scale for its passage through the network: u -> J u.
        """
        sources = range(len(self.weights)) if to_all else selection
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(cotangent)
            with operations_within() as operations:
                weights = [self.weights[i] for i in sources]
                every = self._gradient([self.unadjusted_logits], weights, [cotangent])
            by_number = dict(zip(sources, every, strict=True))
            gradient = [by_number[i] for i in selection]
        refuse_zero_derivatives(self._classifier, gradient, operations)
        if to_all:
            self._pulled_back = cotangent, every

        def pushforward(direction: Sequence[Tensor], scale: Tensor | None = None) -> Tensor:
            # The tape divides by the scale of the pullback first, and multiplies in the end.
            if scale is not None:
                factor = scale if self._scale is None else scale * self._scale
                direction = [tf.cast(factor, u.dtype) * u for u in direction]
            with second_derivatives(self._classifier, operations):
                tangent = tape.gradient(
                    gradient,
                    cotangent,
                    output_gradients=list(direction),
                    unconnected_gradients=tf.UnconnectedGradients.ZERO,
                )
            return tangent if scale is None else tangent / tf.cast(factor, tangent.dtype)

        return gradient, pushforward

    def commit(self) -> None:
        """Assigns the non-trainable state that the forward pass produced."""
        for variable, value in self.updates:
            variable.assign(value)

    def _gradient(
        self, targets: Sequence[Tensor], sources: Sequence[Tensor], cotangents: Sequence[Tensor]
    ) -> list[Tensor]:
        if self._scale is not None:
            cotangents = [tf.cast(self._scale, d.dtype) * d for d in cotangents]
        gradient = self._tape.gradient(
            targets,
            sources,
            output_gradients=cotangents,
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        # That of an embedding comes as `IndexedSlices`, which no tape can differentiate.
        gradient = [tf.convert_to_tensor(part) for part in gradient]
        if self._scale is None:
            return gradient
        return [part / tf.cast(self._scale, part.dtype) for part in gradient]


def trace_derivatives(classifier: keras.Model, inputs: Inputs, selection: Sequence[int]) -> None:
    """Traces pullback and pushforward of a batch, for the checks that need a graph.

    Args:
        classifier: a built Keras model.
        inputs: `tf.TensorSpec` of a batch, or a structure of them.
        selection: indices into its trainable variables.

    Raises:
        ValueError: see `tf_mwn.engine.operations`.
    """

    @tf.function(autograph=False)
    def derivatives(inputs: Inputs) -> Tensor:
        linear = Linearisation(classifier, inputs)
        ones = tf.ones_like(linear.logits)
        gradient, pushforward = linear.pullback_and_pushforward(ones, selection)
        return pushforward(gradient)

    derivatives.get_concrete_function(inputs)


def _at_least_float32(x: Tensor) -> Tensor:
    return tf.cast(x, tf.float32) if x.dtype in (tf.float16, tf.bfloat16) else x
