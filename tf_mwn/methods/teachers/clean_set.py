"""Training on the clean meta set alone."""

import keras

from tf_mwn.training.cross_entropy import CrossEntropy


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
