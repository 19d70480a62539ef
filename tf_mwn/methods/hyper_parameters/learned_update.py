"""Methods that learn how the classifier steps, not what it minimises."""

from typing import Any

import keras

from tf_mwn.engine.linearise import Linearisation
from tf_mwn.engine.objective import TrainingBatch
from tf_mwn.engine.optimizers import apply_gradient
from tf_mwn.engine.replicas import num_replicas
from tf_mwn.tensors import Element, Logs, Tensor
from tf_mwn.training.elements import unpacked
from tf_mwn.training.meta_learned import MetaLearnedModel, refuse_engine_options
from tf_mwn.training.meta_learner import MetaLearner


class LearnedUpdate(MetaLearnedModel):
    """A step whose Θ does not enter T: one gradient of T serves both Θ and w.

    The gradient includes that of the classifier's own losses. Subclasses say what Θ learns from it
    (`theta_gradient`), and how the classifier steps by it and the new Θ (`apply_gradient`).
    """

    offers_virtual_steps = False
    differentiates_twice = False

    def __init__(
        self, classifier: keras.Model, meta_learner: MetaLearner, meta_interval: int, **kwargs: Any
    ) -> None:
        refuse_engine_options(kwargs)
        super().__init__(classifier, meta_learner, meta_interval=meta_interval, **kwargs)

    def train_step(self, data: Any) -> Logs:
        element, labels = unpacked(data, self.needs_meta_set)
        counts = element.get("sample_weight")
        batch = self.training_batch(labels, element["sample_id"], counts)
        linear = self.linearise(element["inputs"])
        gradient = self.training_gradient(linear, batch)
        if self.updates_theta:
            learned = self.theta_gradient(linear, gradient, element)
            apply_gradient(self.meta_optimizer, learned, self.meta_learner.trainable_variables)
            self.meta_learner.project()
        self.apply_gradient(linear, gradient)
        linear.commit()
        return self.update_metrics(element, labels, linear.unadjusted_logits, counts)

    def training_gradient(self, linear: Linearisation, batch: TrainingBatch) -> list[Tensor]:
        """∂T/∂w and the gradient of the classifier's own losses (this replica's share)."""
        cotangent, _ = self.logits_gradient(linear.logits, batch)
        # Every replica holds the same regularisers, and the shares add up.
        return linear.pullback(cotangent, regularisation_scale=1.0 / num_replicas())

    def theta_gradient(
        self, linear: Linearisation, gradient: list[Tensor], element: Element
    ) -> list[Tensor]:
        """The gradient of Θ (this replica's share), given this replica's share of ∂T/∂w."""
        raise NotImplementedError

    def apply_gradient(self, linear: Linearisation, gradient: list[Tensor]) -> None:
        """w ← optimizer(gradient)."""
        apply_gradient(self.optimizer, gradient, self.classifier.trainable_variables)

    def meta_gradient(
        self, linear: Linearisation, batch: TrainingBatch, element: Element
    ) -> list[Tensor]:
        """The gradient of Θ from one training and one meta batch (this replica's share)."""
        return self.theta_gradient(linear, self.training_gradient(linear, batch), element)

    def constructor_arguments(self) -> dict[str, Any]:
        return {"meta_interval": self.meta_interval}
