"""A loss that is a learned function of label and prediction."""

import math
from typing import Any

import keras
import tensorflow as tf

from tf_mwn.checks import check_count
from tf_mwn.engine.objective import TrainingBatch
from tf_mwn.losses.targets import as_logits, target_distribution
from tf_mwn.tensors import Labels, Logits, Tensor
from tf_mwn.training.meta_learned import MetaLearnedModel
from tf_mwn.training.meta_learner import MetaLearner


def bilinear_loss(labels: Labels, logits: Logits, matrix: Any, bias: Tensor) -> tf.Tensor:
    """4 σ(-(yᵀ W ln p + b)), with p = softmax(z) and the logistic function σ.

    With s = yᵀ W ln p + b and w = Wᵀ y, the gradient in z is 4 σ(s) σ(-s) (p Σ_k w_k - w). This is
    the gradient of the cross-entropy with the "label" w times a factor in (0, 1]. The factor is 1
    at s = 0 and vanishes for large |s|.

    Args:
        labels: class numbers [..], or one-hot or soft labels [.., C].
        logits: z, [.., C].
        matrix: W, [C, C]; row i belongs to label i.
        bias: b, scalar.

    Returns:
        [..], in (0, 4), in at least float32.

    Raises:
        ValueError: shapes that do not fit.
    """
    logits = as_logits(logits)
    matrix, bias = tf.cast(matrix, logits.dtype), tf.cast(bias, logits.dtype)
    target = tf.linalg.matmul(target_distribution(labels, logits), matrix)
    score = tf.reduce_sum(target * tf.nn.log_softmax(logits), axis=-1) + bias
    return 4.0 * tf.sigmoid(-score)


@keras.saving.register_keras_serializable(package="tf_mwn")
class LossTeacher(MetaLearner):
    """T = (1/n) Σ 4 σ(-(y_iᵀ W ln p_i + b)), where Θ is W [C, C] and b.

    W sets the classes that a label supports. If examples of class j often have the label i, a
    larger W_ij lets the label i support class j too. b sets how improbable a label must be before
    its example is given up. The loss is in (0, 4) for every W and b. Even a W with negative entries
    cannot drive the classifier to infinity, so Θ has no bounds.

    W starts as the identity and b as ln C, so the loss starts as 4 / (1 + C p_y). At a uniform
    prediction, where training starts, its gradient is that of the cross-entropy. Learned examples
    (p_y C >> 1) and given-up ones (p_y C << 1) count less.

    Args:
        num_classes: C.

    Raises:
        TypeError, ValueError: `num_classes` is not an integer of at least 1.

    Examples:
        >>> model = tf_mwn.MetaLearnedModel(classifier, tf_mwn.LossTeacher(num_classes=2))
        >>> model.compile("sgd", meta_optimizer=keras.optimizers.Adam(3e-3))

    See Also:
        `LearnedLoss`: the hyper-parameters of a known loss.

    References:
        Wu et al., Learning to Teach with Dynamic Loss Functions, NeurIPS 2018,
        https://arxiv.org/abs/1810.12081. There a network that sees the state of the student outputs
        W and b, and is learned over many trainings. Here W and b themselves are learned while the
        one classifier trains. The sign, the factor 4 and the start are this project's choice.
    """

    takes_sample_weight = True

    def __init__(self, num_classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_classes = check_count("num_classes", num_classes)
        self.matrix = self.add_weight(
            name="matrix", shape=(num_classes, num_classes), initializer="identity"
        )
        self.bias = self.add_weight(
            name="bias",
            shape=(),
            # `Constant` would round a Python float to float32, even for a float64 variable.
            initializer=lambda shape, dtype: tf.constant(math.log(num_classes), dtype, shape),
        )

    def objective(self, logits: Logits, batch: TrainingBatch) -> tuple[Tensor, Tensor | None]:
        """The mean loss under the current W and b; no weights."""
        matrix, bias = tf.convert_to_tensor(self.matrix), tf.convert_to_tensor(self.bias)
        return batch.mean(bilinear_loss(batch.labels, logits, matrix, bias)), None

    def scalars(self) -> dict[str, Tensor]:
        """b, and the means of W's diagonal and off-diagonal entries."""
        trace = tf.linalg.trace(tf.convert_to_tensor(self.matrix))
        others = tf.reduce_sum(self.matrix) - trace
        beside = self.num_classes * max(1, self.num_classes - 1)
        return {
            "bias": self.bias,
            "diagonal": trace / self.num_classes,
            "off_diagonal": others / beside,
        }

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_classes": self.num_classes}


def learned_loss(classifier: keras.Model, num_classes: int, **engine: Any) -> MetaLearnedModel:
    """Trains `classifier`, which returns logits [B, C], with a learned loss; see `LossTeacher`.

    `**engine` goes to `MetaLearnedModel`.
    """
    return MetaLearnedModel(classifier, LossTeacher(num_classes), **engine)
