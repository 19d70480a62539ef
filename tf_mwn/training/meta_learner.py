"""The contract between a meta-learner and the engine."""

from tf_mwn.engine.objective import TrainingObjective


class MetaLearner(TrainingObjective):
    """A training objective T(z, y; Θ) whose trainable variables Θ are learned on the meta set.

    The engine differentiates `objective` in the logits and gives Θ its exact meta gradient.
    Anything differentiable in Θ will do; the example is a learned temperature of the logits.
    `batch.mean` is a mean over the examples of all devices, by the `sample_weight` of `fit`. The
    `aggregation` lets `project` assign the variable under a strategy. Hyper-parameters of a loss of
    `tf_mwn.losses` need no class of their own: see `LearnedLoss`.

    Examples:
        >>> import tensorflow as tf
        >>> @keras.saving.register_keras_serializable()  # or the trained model cannot be loaded
        ... class LearnedTemperature(tf_mwn.MetaLearner):
        ...     takes_sample_weight = True  # by batch.mean
        ...
        ...     def __init__(self, **kwargs):
        ...         super().__init__(**kwargs)
        ...         self.temperature = self.add_weight(
        ...             name="temperature",
        ...             shape=(),
        ...             initializer="ones",
        ...             aggregation="only_first_replica",
        ...         )
        ...
        ...     def objective(self, logits, batch):
        ...         return batch.mean(batch.losses(logits / self.temperature)), None
        ...
        ...     def project(self):
        ...         self.temperature.assign(tf.maximum(self.temperature, 0.1))
        ...
        ...     def scalars(self):
        ...         return {"temperature": self.temperature}
        >>> model = tf_mwn.MetaLearnedModel(classifier, LearnedTemperature())

    See Also:
        - `MetaLearnedModel`: trains with it.
        - `LearnedLoss`, `WeightNet`, `LossTeacher`: those of this package.
    """

    def project(self) -> None:
        """Brings Θ back to its admissible set; called after each update. Default: nothing."""
