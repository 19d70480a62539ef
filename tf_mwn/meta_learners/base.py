"""The contract between a meta-learner and the engine."""

import keras


class MetaLearner(keras.layers.Layer):
    """A layer that owns Θ and states the training objective T(z, y; Θ).

    It never sees the classifier: the engine asks for `objective`, differentiates it in the
    logits, and gives Θ its exact meta gradient. Anything differentiable in Θ will do.
    """

    def objective(self, logits, labels, per_example_loss):
        """T(z, y; Θ) for one training batch.

        Args:
            logits: [B, C].
            labels: whatever `per_example_loss` takes, leading dimension B.
            per_example_loss: (labels, logits) -> [B].

        Returns:
            This replica's share of the scalar T (shares add up over replicas), and the weight
            [B] that each example has in it.
        """
        raise NotImplementedError

    def project(self) -> None:
        """Brings Θ back to its admissible set; called after each update. Default: nothing."""

    def curve(self, losses):
        """The weight [N] of an example at each of `losses` [N]; None if it has no such curve."""
        return None
