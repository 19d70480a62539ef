"""A classifier whose weights are a moving average of those of the one in training."""

import keras
import tensorflow as tf

from tf_mwn.training.phases import Snapshot


class MovingAverage(Snapshot):
    """Exponential averages of a classifier's weights, batch-norm statistics included.

    They are state of the model, and no second model is built.

    Args:
        owner: the model.
        classifier: what is averaged.
        momentum: share of the old average, in [0, 1). It is at most (1 + t) / (10 + t) at step t,
            so that a short training does not average its initial weights.
    """

    def __init__(self, owner: keras.Model, classifier: keras.Model, momentum: float):
        # Weights and not variables: the states of dropout's seeds are no numbers to average.
        super().__init__(owner, "average", classifier.weights)
        self._classifier = classifier
        self._momentum = momentum
        # For passes over whole sets: traced once, and not once for each pass.
        self.compiled = tf.function(self.logits, reduce_retracing=True)

    def update(self, step: tf.Tensor) -> None:
        """Moves the averages towards the current weights; `step` counts from 0."""
        t = tf.cast(step, tf.float32)
        momentum = tf.minimum(self._momentum, (1 + t) / (10 + t))
        for average, variable in zip(self._copies, self._variables, strict=True):
            old, new = tf.convert_to_tensor(average), tf.convert_to_tensor(variable)
            average.assign(new + tf.cast(momentum, old.dtype) * (old - new))

    def logits(self, inputs) -> tf.Tensor:
        """Logits [B, C] of the averaged classifier in evaluation mode, in at least float32."""
        values = zip(self._variables, self.values(), strict=True)
        with keras.StatelessScope(state_mapping=list(values)):
            logits = self._classifier(inputs, training=False)
        return tf.cast(logits, tf.float32) if logits.dtype.size < 4 else logits
