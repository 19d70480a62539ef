"""Positive numbers beside the loss, learned on the meta set as multiples of where they start."""

import math
from collections.abc import Sequence

import keras
import tensorflow as tf

from tf_mwn.checks import POSITIVE
from tf_mwn.engine.replicas import global_mean
from tf_mwn.training.meta_learner import MetaLearner

# As far as a learned number goes from its start: a thousandth, a thousand times.
FARTHEST = 1000.0


@keras.saving.register_keras_serializable(package="tf_mwn")
class LearnedFactors(MetaLearner):
    """`start` · exp(Θ), one Θ per name; T is the mean loss and knows nothing of them.

    A logarithm keeps the numbers positive and makes steps of the meta optimizer relative. Θ = 0
    is the start. Gradients of Θ can be small against a weight decay of it: give the meta optimizer
    none. `project` keeps Θ in ±ln 1000.

    Args:
        names: of the numbers, for monitoring.
        start: their first value, above 0.
    """

    def __init__(self, names: Sequence[str], start: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        self.names = tuple(names)
        self.start = POSITIVE.check("start", start)
        self.theta = self.add_weight(
            name="theta",
            shape=(len(self.names),),
            initializer="zeros",
            aggregation="only_first_replica",  # all replicas clip the same values
        )

    def values_now(self) -> tf.Tensor:
        """The numbers [N] under the current Θ."""
        return self.start * tf.exp(tf.convert_to_tensor(self.theta))

    def objective(self, logits, batch):
        """This replica's share of the mean loss; no weights."""
        return global_mean(batch.losses(logits)), None

    def project(self):
        bound = math.log(FARTHEST)
        self.theta.assign(tf.clip_by_value(self.theta, -bound, bound))

    def scalars(self):
        return dict(zip(self.names, tf.unstack(self.values_now()), strict=True))

    def get_config(self):
        return {**super().get_config(), "names": self.names, "start": self.start}
