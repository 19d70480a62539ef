"""The plain mean of a per-example loss: the objective of every fixed loss."""

from typing import Any

import keras

from tf_mwn.engine.objective import SEES_CLASSES, SEES_LOSSES, TrainingBatch, TrainingObjective
from tf_mwn.losses.per_example import per_example_loss
from tf_mwn.tensors import Logits, Losses, Tensor


@keras.saving.register_keras_serializable(package="tf_mwn")
class MeanLoss(TrainingObjective):
    """T = (1/n) Σ ℓ(y_i, z_i).

    Args:
        loss: ℓ, a `keras.losses.Loss` on logits, whose reduction is ignored; None for the loss of
            `compile`. The logged "loss" is always that of `compile`, so that methods can be
            compared.

    Raises:
        TypeError, ValueError: as `tf_mwn.losses.per_example.per_example_loss`.

    Attributes:
        own_loss: (labels, logits) -> [B] behind `loss`; None for the loss of `compile`.

    Examples:
        >>> from tf_mwn.losses.generalized import GeneralizedCrossEntropy
        >>> model = tf_mwn.RobustModel(classifier, tf_mwn.MeanLoss(GeneralizedCrossEntropy(q=0.7)))
        >>> model.compile("sgd")
        >>> history = model.fit(pairs, verbose=0)

    See Also:
        - `CrossEntropy`: the loss of `compile`.
        - `LearnedLoss`: a loss whose hyper-parameters are learned.
    """

    takes_sample_weight = True

    def __init__(self, loss: keras.losses.Loss | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._arguments: dict[str, Any] = {}
        self.save_arguments(loss=loss)
        self.own_loss = None if loss is None else per_example_loss(loss)

    @property
    def sees(self) -> str:  # type: ignore[override]
        """Losses alone, unless it has one of its own, which is one of classes."""
        return SEES_LOSSES if self.own_loss is None else SEES_CLASSES

    def save_arguments(self, **arguments: Any) -> None:
        """Adds constructor arguments to what `get_config` returns."""
        self._arguments = {**self._arguments, **arguments}

    def trained_losses(self, logits: Logits, batch: TrainingBatch) -> Losses:
        """ℓ [B]."""
        own = self.own_loss
        return batch.losses(logits) if own is None else own(batch.labels, logits)

    def objective(self, logits: Logits, batch: TrainingBatch) -> tuple[Tensor, Tensor | None]:
        """This replica's share of T; no weights."""
        return batch.mean(self.trained_losses(logits, batch)), None

    def get_config(self) -> dict[str, Any]:
        arguments = keras.saving.serialize_keras_object(dict(self._arguments))
        return {**super().get_config(), **arguments}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "MeanLoss":
        return super().from_config(
            {k: keras.saving.deserialize_keras_object(v) for k, v in config.items()}
        )
