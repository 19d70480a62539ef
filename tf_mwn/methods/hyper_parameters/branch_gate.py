"""The shares of several branches in the logits, learned on the meta set."""

import keras
import tensorflow as tf

from tf_mwn.checks import check_count
from tf_mwn.engine.objective import SEES_LOSSES
from tf_mwn.training.meta_learner import MetaLearner


@keras.saving.register_keras_serializable(package="tf_mwn")
class BranchGate(MetaLearner):
    """T = the mean loss of the logits Σ_k a_k z_k of K branches, with a = softmax(Θ).

    The shares a_k are equal at the start.

    Args:
        num_branches: K, at least 1.
    """

    takes_sample_weight = True
    sees = SEES_LOSSES

    def __init__(self, num_branches: int, **kwargs):
        super().__init__(**kwargs)
        self.num_branches = check_count("num_branches", num_branches)
        self.theta = self.add_weight(name="theta", shape=(num_branches,), initializer="zeros")

    def shares(self) -> tf.Tensor:
        """a [K], with sum 1."""
        return tf.nn.softmax(tf.convert_to_tensor(self.theta))

    def mixed(self, branches: tf.Tensor) -> tf.Tensor:
        """Logits [B, C] of the mixture, for concatenated branches' logits [B, K C]."""
        classes = branches.shape[-1] // self.num_branches
        parts = tf.reshape(branches, [-1, self.num_branches, classes])
        return tf.einsum("bkc,k->bc", parts, tf.cast(self.shares(), parts.dtype))

    def objective(self, logits, batch):
        """This replica's share of T for branches' logits [B, K C]; no weights."""
        return batch.mean(batch.losses(self.mixed(logits))), None

    def scalars(self):
        shares = tf.unstack(self.shares())
        return {f"share_{k + 1}": share for k, share in enumerate(shares)}

    def get_config(self):
        return {**super().get_config(), "num_branches": self.num_branches}
