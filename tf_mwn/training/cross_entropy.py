"""Plain training: the baseline every other method is compared with."""

from typing import Any

import keras

from tf_mwn.training.mean_loss import MeanLoss
from tf_mwn.training.robust_model import RobustModel


@keras.saving.register_keras_serializable(package="tf_mwn")
class CrossEntropy(RobustModel):
    """Minimises the mean per-example loss, cross-entropy unless `compile` says otherwise.

    Args:
        classifier: built Keras model that returns logits [B, C].

    Examples:
        >>> model = tf_mwn.CrossEntropy(classifier)
        >>> model.compile("sgd", metrics=["accuracy"])
        >>> history = model.fit(pairs, verbose=0)
        >>> sorted(history.history)
        ['accuracy', 'loss']

    See Also:
        - `MeanLoss`: the same with a loss of its own.
        - `Robust`: what to compare it with.
    """

    def __init__(self, classifier: keras.Model, **kwargs: Any) -> None:
        super().__init__(classifier, MeanLoss(), **kwargs)

    def constructor_arguments(self) -> dict[str, Any]:
        return {}
