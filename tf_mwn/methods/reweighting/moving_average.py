"""A moving average of the classifier in training."""

import keras
import tensorflow as tf

from tf_mwn.training.phases import Snapshot


class MovingAverage(Snapshot):
    """Exponential averages of a classifier's weights, including batch-norm statistics.

    The averages are state of the owner; there is no second classifier.

    Args:
        owner: the model.
        classifier: the classifier to average.
        momentum: share of the old average, in [0, 1). At step t the share is at most
            (1 + t) / (10 + t), so the initial weights hardly count in a short training.
    """

    def __init__(self, owner: keras.Model, classifier: keras.Model, momentum: float):
        # `weights` leaves out the states of dropout's seeds, which have no average.
        super().__init__(owner, "average", classifier.weights)
        self._classifier = classifier
        self._momentum = momentum
        # For passes over whole sets, traced once for all passes.
        self.compiled = tf.function(self.logits, reduce_retracing=True)

    def update(self, step: tf.Tensor) -> None:
        """Moves the averages towards the current weights; `step` counts from 0."""
        t = tf.cast(step, tf.float32)
        momentum = tf.minimum(self._momentum, (1 + t) / (10 + t))
        for average, variable in zip(self._copies, self._variables, strict=True):
            old, new = tf.convert_to_tensor(average), tf.convert_to_tensor(variable)
            average.assign(new + tf.cast(momentum, old.dtype) * (old - new))

    def logits(self, inputs) -> tf.Tensor:
        """Logits [B, C] of the averaged classifier in evaluation mode, at least float32."""
        values = zip(self._variables, self.values(), strict=True)
        with keras.StatelessScope(state_mapping=list(values)):
            logits = self._classifier(inputs, training=False)
        return tf.cast(logits, tf.float32) if logits.dtype.size < 4 else logits
