"""The training objective T(z, y): what a method minimises, as a function of the logits."""

import dataclasses
from collections.abc import Callable
from typing import Any, Self

import keras
import tensorflow as tf

from tf_mwn.engine.replicas import global_mean
from tf_mwn.tensors import Labels, Logits, Losses, Tensor

# What an objective looks at: per-example losses alone; also the class that a label names; labels
# and logits of classes that exclude each other, each row by itself; or more, such as features.
SEES_LOSSES, SEES_LABELS, SEES_CLASSES, SEES_EXAMPLES = "losses", "labels", "classes", "examples"


@dataclasses.dataclass(frozen=True)
class TrainingBatch:
    """What an objective may use of a training batch besides its logits.

    Attributes:
        labels: the given labels; class numbers [B] or distributions [B, C].
        per_example_loss: (labels, logits) -> [B], as set in `compile`.
        sample_id: [B] integers that identify the examples across epochs; None if not known.
        step: integer scalar, training steps so far (each, also where the optimizer gathers
            gradients of several); None if not known.
        sample_weight: s [B] as given to `fit`, by which the examples count; None for 1. `mean` and
            `counted` put it into T. The loss that a weight v is a function of is without it.
    """

    labels: Labels
    per_example_loss: Callable[[Labels, Logits], Losses]
    sample_id: Tensor | None = None
    step: Tensor | None = None
    sample_weight: Tensor | None = None

    def part(self, rows: Callable[[Tensor], Tensor]) -> Self:
        """The batch of some of its rows; `rows` takes them from a tensor [B, ...]."""
        ids, weights = (
            None if values is None else rows(values)
            for values in (self.sample_id, self.sample_weight)
        )
        return dataclasses.replace(
            self, labels=rows(self.labels), sample_id=ids, sample_weight=weights
        )

    def losses(self, logits: Logits) -> Tensor:
        """The per-example loss [B] of logits [B, C]."""
        return self.per_example_loss(self.labels, logits)

    def counted(self, values: Tensor) -> Tensor:
        """s x for `values` x [B]: what each example adds to a sum over the batch."""
        if self.sample_weight is None:
            return values
        return tf.cast(self.sample_weight, values.dtype) * values

    def mean(self, values: Tensor) -> Tensor:
        """This replica's share of (1/n) Σ s x for `values` x [B] of the n examples of all replicas.

        The shares add up to the mean, which is `tf.reduce_mean` on one device without weights.
        """
        return global_mean(self.counted(values))


class TrainingObjective(keras.layers.Layer):
    """A layer that states T(z, y). It may hold state; it never sees the classifier.

    Its variables stay in full precision, whatever the global policy is.

    Attributes:
        keeps_history: whether the weight of an example depends on what is remembered of it by its
            `sample_id`. Such an objective has no weight for an example it was never trained on.
        takes_sample_weight: whether T takes the weights s of the examples, by `TrainingBatch.mean`
            or `TrainingBatch.counted`. Where it does not, `fit` refuses them.
        sees: "losses", "labels", "classes" or "examples": what T is computed from. Only an
            objective that sees losses alone can be used for every task.
    """

    keeps_history = False
    takes_sample_weight = False
    sees = SEES_EXAMPLES

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"dtype": keras.config.floatx(), **kwargs})
        self.built = True

    def observe(self, logits: Logits, batch: TrainingBatch) -> None:
        """Updates the objective's own state, once a step and before `objective`.

        Replicas must leave equal states behind. Default: nothing.

        Args:
            logits: [B, C], a constant.
            batch: with `sample_id` and `step`.
        """

    def objective(self, logits: Logits, batch: TrainingBatch) -> tuple[Tensor, Tensor | None]:
        """T for one training batch.

        Args:
            logits: [B, C].
            batch: the labels and the other fields of the batch.

        Returns:
            This replica's share of the scalar T (shares add up over replicas), and the weight
            [B] each example has in it, or None if the objective gives no weights.
        """
        raise NotImplementedError

    def curve(self, losses: Losses) -> Tensor | None:
        """The weight [N] at each of `losses` [N]; None if the weight is no function of the loss."""
        return None

    def scalars(self) -> dict[str, Tensor]:
        """The objective's current state as named scalars, for monitoring. Default: none."""
        return {}


def logits_gradient(
    objective: Callable[[Logits], tuple[Tensor, Any]], logits: Logits
) -> tuple[Logits, Any]:
    """∂T/∂z of `objective`, a function of the logits alone.

    Args:
        objective: logits [B, C] -> (scalar T, anything else worth keeping).
        logits: [B, C]; treated as a constant, so that an outer tape sees only what the
            objective itself depends on.

    Returns:
        ∂T/∂z [B, C], and the second value of `objective`.
    """
    logits = tf.stop_gradient(logits)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(logits)
        value, aside = objective(logits)
    return tape.gradient(value, logits), aside
