"""One forward pass of a classifier, with its derivative in both directions."""

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf


def functional_call(classifier: keras.Model, values: Sequence[tuple], inputs):
    """Calls `classifier` in training mode with some variables replaced, and changes nothing.

    Args:
        classifier: a built Keras model that returns logits.
        values: pairs (variable, tensor); variables not named keep their current value.
        inputs: what the classifier takes.

    Returns:
        logits [B, C] in at least float32; the pairs (variable, new value) that the pass would
        have assigned (batch-norm statistics, dropout seeds); the list of the classifier's own
        losses (regularisers, `add_loss`).
    """
    with keras.StatelessScope(state_mapping=list(values), collect_losses=True) as scope:
        logits = classifier(inputs, training=True)
        losses = classifier.losses
    new = [(v, scope.get_current_value(v)) for v in classifier.non_trainable_variables]
    given = {id(variable): value for variable, value in values}
    updates = [(v, x) for v, x in new if x is not None and x is not given.get(id(v))]
    return _at_least_float32(logits), updates, losses


class Linearisation:
    """The logits z = f(x; w) of one training batch, and J = ∂z/∂w as two linear maps.

    The forward pass runs once, on construction; every pullback and pushforward reads its tape.

    Attributes:
        logits: z, [B, C].
        updates: pairs (variable, new value) of the classifier's non-trainable state; `commit`
            assigns them.
        regularisation: scalar, the sum of the classifier's own losses.
    """

    def __init__(self, classifier: keras.Model, inputs):
        self._variables = classifier.trainable_variables
        self.weights = [tf.convert_to_tensor(v) for v in self._variables]
        # Persistent: the virtual and the actual gradient are two pullbacks of one forward.
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as self._tape:
            self._tape.watch(self.weights)
            self.logits, self.updates, losses = functional_call(
                classifier, list(zip(self._variables, self.weights, strict=True)), inputs
            )
            self.regularisation = tf.add_n(
                [tf.cast(loss, self.logits.dtype) for loss in losses]
                or [tf.zeros([], self.logits.dtype)]
            )

    def pullback(self, cotangent: tf.Tensor, regularisation_scale: float = 0.0) -> list[tf.Tensor]:
        """Jᵀ `cotangent` (plus the scaled gradient of `regularisation`) for all weights."""
        targets, cotangents = [self.logits], [cotangent]
        if regularisation_scale:
            targets.append(self.regularisation)
            cotangents.append(tf.cast(regularisation_scale, self.logits.dtype))
        return self._gradient(targets, self.weights, cotangents)

    def pullback_and_pushforward(
        self, cotangent: tf.Tensor, selection: Sequence[int]
    ) -> tuple[list[tf.Tensor], Callable[[Sequence[tf.Tensor]], tf.Tensor]]:
        """The pullback onto the weights numbered in `selection`, and its transpose.

        The pullback is linear in the cotangent, so the derivative of <pullback(d), u> in d is
        J u wherever it is taken: one more reverse pass gives the directional derivative of the
        logits, and no second derivative of the network is needed.

        Args:
            cotangent: [B, C].
            selection: indices into `weights`; J is restricted to them.

        Returns:
            `Jᵀ cotangent`, a list of tensors, and the function u -> J u with u a list like it.
        """
        weights = [self.weights[i] for i in selection]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(cotangent)
            gradient = self._gradient([self.logits], weights, [cotangent])

        def pushforward(direction: Sequence[tf.Tensor]) -> tf.Tensor:
            return tape.gradient(
                gradient,
                cotangent,
                output_gradients=list(direction),
                unconnected_gradients=tf.UnconnectedGradients.ZERO,
            )

        return gradient, pushforward

    def commit(self) -> None:
        """Assigns the non-trainable state that the forward pass produced."""
        for variable, value in self.updates:
            variable.assign(value)

    def _gradient(self, targets, sources, cotangents):
        gradient = self._tape.gradient(
            targets,
            sources,
            output_gradients=cotangents,
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        # That of an embedding comes as `IndexedSlices`, which no tape can differentiate.
        return [tf.convert_to_tensor(part) for part in gradient]


def _at_least_float32(x: tf.Tensor) -> tf.Tensor:
    return tf.cast(x, tf.float32) if x.dtype in (tf.float16, tf.bfloat16) else x
