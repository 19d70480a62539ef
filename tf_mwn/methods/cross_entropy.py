"""Plain training: the baseline every other method is compared with."""

import keras

from tf_mwn.engine.linearise import Linearisation
from tf_mwn.engine.objective import logits_gradient
from tf_mwn.engine.replicas import global_mean
from tf_mwn.methods.classifiers import check_training_element
from tf_mwn.methods.robust_model import RobustModel


@keras.saving.register_keras_serializable(package="tf_mwn")
class CrossEntropy(RobustModel):
    """Minimises the mean per-example loss, cross-entropy unless `compile` says otherwise."""

    def train_step(self, data):
        check_training_element(data, needs_meta=False)
        element, labels = data

        def objective(logits):
            return global_mean(self.per_example_loss(labels, logits)), None

        linear = Linearisation(self.classifier, element["inputs"])
        cotangent, _ = logits_gradient(objective, linear.logits)
        self.actual_step(linear, cotangent)
        return self.update_metrics(element, labels, linear.logits)
