"""Plain training: the baseline every other method is compared with."""

import keras

from tf_mwn.engine.objective import TrainingBatch, TrainingObjective
from tf_mwn.engine.replicas import global_mean
from tf_mwn.methods.robust_model import RobustModel


@keras.saving.register_keras_serializable(package="tf_mwn")
class MeanLoss(TrainingObjective):
    """T = (1/n) Σ l_i."""

    def objective(self, logits, batch: TrainingBatch):
        return global_mean(batch.losses(logits)), None


@keras.saving.register_keras_serializable(package="tf_mwn")
class CrossEntropy(RobustModel):
    """Minimises the mean per-example loss, cross-entropy unless `compile` says otherwise.

    Args:
        classifier: built Keras model that returns logits [B, C].
    """

    def __init__(self, classifier: keras.Model, **kwargs):
        super().__init__(classifier, MeanLoss(), **kwargs)

    def get_config(self):
        config = super().get_config()
        del config["training_objective"]
        return config
