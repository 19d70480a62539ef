"""The plain mean of a per-example loss: the objective of every fixed loss."""

import keras
import tensorflow as tf

from tf_mwn.engine.objective import SEES_CLASSES, SEES_LOSSES, TrainingBatch, TrainingObjective
from tf_mwn.losses.per_example import per_example_loss


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
    """

    takes_sample_weight = True

    def __init__(self, loss: keras.losses.Loss | None = None, **kwargs):
        super().__init__(**kwargs)
        self._arguments = {}
        self.save_arguments(loss=loss)
        self.own_loss = None if loss is None else per_example_loss(loss)

    @property
    def sees(self) -> str:
        """Losses alone, unless it has one of its own, which is one of classes."""
        return SEES_LOSSES if self.own_loss is None else SEES_CLASSES

    def save_arguments(self, **arguments) -> None:
        """Adds constructor arguments to what `get_config` returns."""
        self._arguments = {**self._arguments, **arguments}

    def trained_losses(self, logits, batch: TrainingBatch) -> tf.Tensor:
        """ℓ [B]."""
        own = self.own_loss
        return batch.losses(logits) if own is None else own(batch.labels, logits)

    def objective(self, logits, batch: TrainingBatch):
        """This replica's share of T; no weights."""
        return batch.mean(self.trained_losses(logits, batch)), None

    def get_config(self):
        arguments = keras.saving.serialize_keras_object(dict(self._arguments))
        return {**super().get_config(), **arguments}

    @classmethod
    def from_config(cls, config):
        return super().from_config(
            {k: keras.saving.deserialize_keras_object(v) for k, v in config.items()}
        )
