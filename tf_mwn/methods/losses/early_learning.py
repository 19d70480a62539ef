"""Early-learning regularisation: predictions stay near their own running average."""

import keras
import tensorflow as tf

from tf_mwn.checks import check_count
from tf_mwn.engine.objective import SEES_EXAMPLES, TrainingBatch
from tf_mwn.losses.targets import as_logits
from tf_mwn.methods.losses import specs
from tf_mwn.training.example_memory import ExampleMemory
from tf_mwn.training.mean_loss import MeanLoss

# Bounds of a probability, as in the authors' code. They bound the regulariser below by λ ln 1e-4.
_LEAST, _LARGEST = 1e-4, 1 - 1e-4


@keras.saving.register_keras_serializable(package="tf_mwn")
class EarlyLearning(MeanLoss):
    """T = (1/n) Σ [ℓ(y_i, z_i) + λ ln(1 - <p_i, t_i>)], with a running target t_i per example.

    p = softmax(z), clamped to [1e-4, 1 - 1e-4]. At each visit of an example
    t ← β t + (1 - β) p / Σ_c p_c, before the loss is computed; t starts at 0 and is a constant for
    the gradient. A classifier learns the right labels first. The regulariser then keeps the
    gradient of these examples alive and cancels that of wrong labels.

    An example without an id is not in the training set and has the plain loss ℓ.

    Args:
        num_sample_ids: N, see `ExampleMemory`.
        num_classes: C. The targets are state [N, C]. They take 4 N C bytes, which is 20 MB for
            50 000 examples of 100 classes, and as much again in each checkpoint.
        beta: β in [0, 1).
        lambda_: λ, at least 0; 0 is the plain mean of ℓ.
        loss: ℓ; see `MeanLoss`.

    Raises:
        TypeError, ValueError: an argument outside its range.

    References:
        Liu, Niles-Weed, Razavian and Fernandez-Granda, Early-Learning Regularization Prevents
        Memorization of Noisy Labels, NeurIPS 2020. https://arxiv.org/abs/2007.00151
    """

    sees = SEES_EXAMPLES

    def __init__(
        self,
        num_sample_ids: int,
        num_classes: int,
        beta: float = specs.ELR_BETA.default,
        lambda_: float = specs.ELR_LAMBDA.default,
        loss: keras.losses.Loss | None = None,
        **kwargs,
    ):
        super().__init__(loss, **kwargs)
        self.save_arguments(
            num_sample_ids=num_sample_ids, num_classes=num_classes, beta=beta, lambda_=lambda_
        )
        self._beta = specs.ELR_BETA.check(beta)
        self._lambda = specs.ELR_LAMBDA.check(lambda_)
        self._memory = ExampleMemory(self, num_sample_ids)
        self._targets = self._memory.add("targets", 0.0, (check_count("num_classes", num_classes),))

    def observe(self, logits, batch: TrainingBatch) -> None:
        if batch.sample_id is None:
            return
        p = _clamped(logits)
        p /= tf.reduce_sum(p, axis=-1, keepdims=True)
        self._memory.average(self._targets, p, 1 - self._beta, batch)

    def trained_losses(self, logits, batch: TrainingBatch) -> tf.Tensor:
        """ℓ and the regulariser of each example, [B]."""
        losses = super().trained_losses(logits, batch)
        if batch.sample_id is None:
            return losses
        p = _clamped(logits)
        target = tf.cast(self._memory.of(self._targets, batch), p.dtype)
        agreement = tf.reduce_sum(p * target, axis=-1)
        return losses + tf.cast(self._lambda * tf.math.log(1 - agreement), losses.dtype)


def _clamped(logits) -> tf.Tensor:
    """Softmax [B, C] in at least float32, clamped."""
    return tf.clip_by_value(tf.nn.softmax(as_logits(logits)), _LEAST, _LARGEST)
