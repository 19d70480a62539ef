"""Positive hyper-parameters outside the loss, learned on the meta set as multiples of a start."""

import math
from collections.abc import Sequence

import keras
import tensorflow as tf

from tf_mwn.checks import POSITIVE
from tf_mwn.engine.objective import SEES_LOSSES
from tf_mwn.training.meta_learner import MetaLearner

# The largest factor between a learned number and its start, in either direction.
FARTHEST = 1000.0


@keras.saving.register_keras_serializable(package="tf_mwn")
class LearnedFactors(MetaLearner):
    """The numbers `start` · exp(Θ), one for each name; T is the mean loss, without the numbers.

    The logarithm keeps the numbers positive and makes steps of the meta optimizer relative. Θ
    starts at 0, and `project` keeps it in ±ln 1000. The gradient of Θ can be small against a
    weight decay of Θ, so give the meta optimizer no weight decay.

    Args:
        names: of the numbers, for monitoring.
        start: their first value, above 0.
    """

    takes_sample_weight = True
    sees = SEES_LOSSES

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
        return batch.mean(batch.losses(logits)), None

    def project(self):
        bound = math.log(FARTHEST)
        self.theta.assign(tf.clip_by_value(self.theta, -bound, bound))

    def scalars(self):
        return dict(zip(self.names, tf.unstack(self.values_now()), strict=True))

    def get_config(self):
        return {**super().get_config(), "names": self.names, "start": self.start}
