"""Training on the clean meta set: alone, or with the training set."""

from typing import Any

import keras

from tf_mwn.engine.objective import TrainingBatch
from tf_mwn.tensors import Element, Inputs, Labels, Logits, Logs, Tensor
from tf_mwn.training.clean_rows import (
    with_clean_rows,
    with_plain_clean_rows,
    without_clean_rows,
)
from tf_mwn.training.cross_entropy import CrossEntropy
from tf_mwn.training.elements import is_training_element


@keras.saving.register_keras_serializable(package="tf_mwn")
class CleanOnly(CrossEntropy):
    """Plain training on the meta batches alone, without the training set.

    It takes as many steps as other methods, each on a meta batch. It has no logit adjustment: the
    class shares of the training set are not those of the meta set.

    Args:
        classifier: built Keras model that returns logits [B, C].

    Examples:
        >>> model = tf_mwn.CleanOnly(classifier)
        >>> model.compile("sgd")
        >>> history = model.fit(pairs, verbose=0)

    See Also:
        `CleanAdded`: trains on both sets.

    References:
        The "clean only" row of Ren et al., ICML 2018, https://arxiv.org/abs/1803.09050.
    """

    needs_meta_set = True
    reads_training_set = False

    def compile(self, *args: Any, **kwargs: Any) -> None:
        super().compile(*args, **kwargs)
        if self.logit_adjustment is not None:
            raise ValueError(
                "logit_adjustment: expected 0 for CleanOnly, which never sees the training set, "
                f"received {self.logit_adjustment.strength:g}"
            )

    def training_part(self, element: Element, labels: Labels) -> tuple[Any, ...]:
        return element["meta_inputs"], element["meta_labels"], None, None


@keras.saving.register_keras_serializable(package="tf_mwn")
class CleanAdded(CrossEntropy):
    """Plain training on the training batch and the meta batch together, in every step.

    T is the mean loss over the B + M examples of both batches. The size M of the meta batch thus
    decides how much clean examples count, whatever the size of the meta set. The logged loss and
    metrics cover the training batch alone, so that they can be compared with other methods. A logit
    adjustment holds for the training batch alone.

    Args:
        classifier: built Keras model that returns logits [B, C].

    Examples:
        >>> model = tf_mwn.CleanAdded(classifier)
        >>> model.compile("sgd")
        >>> history = model.fit(pairs, verbose=0)

    See Also:
        - `CleanOnly`: trains on the clean examples alone.
        - `RobustModel.fine_tune`: trains on them afterwards.
    """

    needs_meta_set = True

    def training_part(self, element: Element, labels: Labels) -> tuple[Any, ...]:
        return with_clean_rows(element, labels)

    def seen(self, logits: Logits, batch: TrainingBatch) -> tuple[Tensor, TrainingBatch]:
        logits = with_plain_clean_rows(logits, batch, self.logit_adjustment)
        return super().seen(logits, batch)

    def update_metrics(
        self,
        inputs: Inputs,
        labels: Labels,
        logits: Logits,
        sample_weight: Any = None,
        weights: Tensor = None,
    ) -> Logs:
        if is_training_element(inputs):
            labels, logits, sample_weight = (
                None if rows is None else without_clean_rows(inputs, rows)
                for rows in (labels, logits, sample_weight)
            )
        return super().update_metrics(inputs, labels, logits, sample_weight, weights)
