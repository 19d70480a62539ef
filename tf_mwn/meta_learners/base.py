"""The contract between a meta-learner and the engine."""

from tf_mwn.engine.objective import TrainingObjective


class MetaLearner(TrainingObjective):
    """A training objective T(z, y; Θ) whose trainable variables Θ are learned on the meta set.

    The engine differentiates `objective` in the logits and gives Θ its exact meta gradient.
    Anything differentiable in Θ will do.
    """

    def project(self) -> None:
        """Brings Θ back to its admissible set; called after each update. Default: nothing."""
