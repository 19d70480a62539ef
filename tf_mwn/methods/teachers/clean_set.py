"""Training on the clean meta set: alone, with the training set, or after it."""

import keras

from tf_mwn.methods.teachers import specs
from tf_mwn.training.clean_rows import with_clean_rows, without_clean_rows
from tf_mwn.training.cross_entropy import CrossEntropy
from tf_mwn.training.elements import is_training_element
from tf_mwn.training.phases import Phases


@keras.saving.register_keras_serializable(package="tf_mwn")
class CleanOnly(CrossEntropy):
    """Plain training on the meta batches alone, without the training set.

    It takes as many steps as other methods, each on a meta batch.

    Args:
        classifier: built Keras model that returns logits [B, C].

    References:
        The "clean only" row of Ren et al., ICML 2018, https://arxiv.org/abs/1803.09050.
    """

    needs_meta_set = True

    def training_part(self, element, labels):
        return element["meta_inputs"], element["meta_labels"], None


@keras.saving.register_keras_serializable(package="tf_mwn")
class CleanAdded(CrossEntropy):
    """Plain training on the training batch and the meta batch together, in every step.

    T is the mean loss over the B + M examples of both batches. The size M of the meta batch thus
    decides how much clean examples count, whatever the size of the meta set. The logged loss and
    metrics cover the training batch alone, so that they can be compared with other methods.

    Args:
        classifier: built Keras model that returns logits [B, C].
    """

    needs_meta_set = True

    def training_part(self, element, labels):
        return with_clean_rows(element, labels)

    def update_metrics(self, inputs, labels, logits, sample_weight=None, weights=None):
        if is_training_element(inputs):
            labels, logits = (without_clean_rows(inputs, rows) for rows in (labels, logits))
        return super().update_metrics(inputs, labels, logits, sample_weight, weights)


@keras.saving.register_keras_serializable(package="tf_mwn")
class FineTuning(CleanOnly):
    """Plain training on the given labels, then a few more epochs on the meta batches alone.

    The optimizer keeps its slots, and its learning rate continues to follow its schedule.

    Args:
        classifier: built Keras model that returns logits [B, C].
        epochs: of the training on the given labels.
        fine_tuning_epochs: epochs on the meta batches, with as many steps as the others. The papers
            give no number; the code of Ren et al. takes 5 000 steps after 80 000.

    References:
        The "fine-tuning" row of Shu et al., NeurIPS 2019, https://arxiv.org/abs/1902.07379, and
        "baseline + fine-tuning" of Ren et al., ICML 2018, https://arxiv.org/abs/1803.09050.
    """

    def __init__(
        self,
        classifier: keras.Model,
        epochs: int,
        fine_tuning_epochs: int = specs.FINE_TUNING_EPOCHS.default,
        **kwargs,
    ):
        super().__init__(classifier, **kwargs)
        self._lengths = {"epochs": epochs, "fine_tuning_epochs": fine_tuning_epochs}
        self.phases = Phases(self, self._lengths)

    def training_part(self, element, labels):
        if self.phases.current == "epochs":
            return element["inputs"], labels, element["sample_id"]
        return super().training_part(element, labels)

    def constructor_arguments(self):
        return self._lengths
