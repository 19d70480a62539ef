"""Gold loss correction: the loss includes label noise that is estimated on clean examples."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.checks import check_count
from tf_mwn.engine.objective import TrainingBatch, TrainingObjective
from tf_mwn.engine.replicas import state
from tf_mwn.label_noise.class_means import class_means
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.losses.label_correction import forward_correction
from tf_mwn.losses.targets import target_distribution
from tf_mwn.messages import logger, long_step
from tf_mwn.methods.correction import specs
from tf_mwn.tensors import Element, Labels, Logits, Tensor
from tf_mwn.training.clean_rows import with_clean_rows, with_plain_clean_rows
from tf_mwn.training.phases import Phases, Snapshot
from tf_mwn.training.robust_model import RobustModel
from tf_mwn.training.whole_sets import logits_of

# Share of the uniform distribution in each row of counts, so that unseen pairs stay possible.
_SMOOTHING = 0.01


def estimate_correction(labels: Labels, logits: Logits, estimate: str = "soft") -> np.ndarray:
    """Ĉ[i, j], an estimate of P(given label j | true class i).

    Args:
        labels: true labels of clean examples; class numbers [N], or distributions [N, C].
        logits: [N, C] of a classifier that was trained on given labels, not on these examples.
        estimate: "soft", the mean of p_j over the examples of class i; or "confusion", the share
            of these examples with prediction j, mixed with 1 % of the uniform distribution.

    Returns:
        [C, C], rows that sum to 1. A class without examples has the row of the identity.
    """
    logits = tf.convert_to_tensor(logits)
    classes = target_distribution(labels, logits).numpy()
    missing = np.flatnonzero(classes.sum(axis=0) == 0)
    if missing.size:
        logger.warning(
            "glc: no clean examples of the classes %s: their labels are taken as right",
            ", ".join(map(str, missing[:10])),
        )
    if estimate == "soft":
        return class_means(classes, tf.nn.softmax(logits).numpy())
    predicted = tf.one_hot(tf.argmax(logits, axis=-1), logits.shape[-1]).numpy()
    return (1 - _SMOOTHING) * class_means(classes, predicted) + _SMOOTHING / logits.shape[-1]


@keras.saving.register_keras_serializable(package="tf_mwn")
class GoldCorrection(TrainingObjective):
    """T = (1/n) [Σ_gold -ln p_y + Σ_noisy -ln Σ_i Ĉ_iy p_i] over the n examples of both kinds.

    Gold examples have a `sample_id` below 0, because they are not in the training set. Ĉ is state.
    Until it is estimated it is the identity, which gives plain cross-entropy.

    Args:
        num_classes: C.
    """

    takes_sample_weight = True

    def __init__(self, num_classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_classes = check_count("num_classes", num_classes)
        shape = num_classes, num_classes
        self.matrix = state(self, "transition_matrix", shape, "identity")

    def objective(self, logits: Logits, batch: TrainingBatch) -> tuple[Tensor, Tensor | None]:
        """This replica's share of T; no weights."""
        losses = forward_correction(batch.labels, logits, transition_matrix=self._given_matrix())
        if batch.sample_id is not None:
            gold = cross_entropy(batch.labels, logits)
            losses = tf.where(batch.sample_id < 0, gold, losses)
        return batch.mean(losses), None

    def _given_matrix(self) -> tf.Tensor:
        return tf.convert_to_tensor(self.matrix)

    def scalars(self) -> dict[str, Tensor]:
        """The mean probability of an unchanged label under Ĉ."""
        return {"correction_diagonal": tf.linalg.trace(self._given_matrix()) / self.num_classes}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_classes": self.num_classes}


@keras.saving.register_keras_serializable(package="tf_mwn")
class GoldLossCorrection(RobustModel):
    """Two trainings: the first on given labels, the second with a correction for their noise.

    1. The classifier trains on the given labels.
    2. Ĉ_ij is the mean of p_j over the clean examples of class i, in evaluation mode.
    3. The classifier returns to its weights before training, and the optimizer to its first step.
    4. The classifier trains on given labels, corrected by Ĉ, and on clean labels. Every step takes
       a training batch and a meta batch in one forward pass.

    Both trainings minimise cross-entropy, as in the paper. The loss of `compile` is only logged. In
    step 4 the logged loss and metrics cover both batches. In the paper a clean example occurs as
    often as a given one; here the size of the meta batch decides how often it occurs.

    Args:
        classifier: built Keras model that returns logits [B, C].
        num_classes: C.
        epochs: of each of the two trainings.
        glc_estimate: see `estimate_correction`.

    Examples:
        >>> model = tf_mwn.GoldLossCorrection(classifier, num_classes=2, epochs=1)
        >>> model.compile("sgd")
        >>> model.whole_sets = tf_mwn.WholeSets.from_arrays(x, y, x_meta, y_meta)
        >>> history = model.fit(pairs, epochs=model.num_epochs, verbose=0)
        >>> model.correction_matrix.shape
        (2, 2)

    See Also:
        `SModel`: the same matrix learned without clean examples.

    References:
        Hendrycks et al., Using Trusted Data to Train Deep Networks on Labels Corrupted by Severe
        Noise, NeurIPS 2018, algorithm 1. https://arxiv.org/abs/1802.05300
    """

    needs_meta_set = True
    needs_whole_sets = True
    has_state_of_variables = True

    def __init__(
        self,
        classifier: keras.Model,
        num_classes: int,
        epochs: int,
        glc_estimate: str = specs.GLC_ESTIMATE.default,
        **kwargs: Any,
    ) -> None:
        super().__init__(classifier, GoldCorrection(num_classes), **kwargs)
        self.epochs, self.glc_estimate = epochs, specs.GLC_ESTIMATE.check(glc_estimate)
        self.phases = Phases(self, specs.glc_lengths(epochs))
        self._initial = Snapshot(self, "initial", classifier.variables)

    @property
    def correction_matrix(self) -> np.ndarray:
        """Ĉ [C, C]; the identity during the first training."""
        return self.training_objective.matrix.numpy()

    def begin_phase(self, phase: str) -> None:
        if phase == "plain_epochs":
            self._initial.take()
            return
        with long_step("estimating the transition matrix"):
            logits, labels, _ = logits_of(self.classifier, self.whole_sets.meta)  # type: ignore[arg-type]
        logits = self.adjusted(tf.convert_to_tensor(logits)).numpy()  # p of a given label
        matrix = estimate_correction(labels, logits, self.glc_estimate)
        self.training_objective.matrix.assign(matrix)
        self._initial.restore()
        self.reset_optimizer()

    def training_part(self, element: Element, labels: Labels) -> tuple[Any, ...]:
        """The training batch; in the second training also the meta batch, with the ids -1."""
        if self.phases.current == "plain_epochs":
            return super().training_part(element, labels)
        return with_clean_rows(element, labels)

    def seen(self, logits: Logits, batch: TrainingBatch) -> tuple[Tensor, TrainingBatch]:
        logits = with_plain_clean_rows(logits, batch, self.logit_adjustment)
        return super().seen(logits, batch)

    def constructor_arguments(self) -> dict[str, Any]:
        return {
            "num_classes": self.training_objective.num_classes,
            "epochs": self.epochs,
            "glc_estimate": self.glc_estimate,
        }
