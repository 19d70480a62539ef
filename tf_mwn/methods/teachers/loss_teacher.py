"""A loss that is itself a learned function of label and prediction."""

import math

import keras
import tensorflow as tf

from tf_mwn.checks import check_count
from tf_mwn.engine.replicas import global_mean
from tf_mwn.losses.targets import as_logits, target_distribution
from tf_mwn.training.meta_learned import MetaLearnedModel
from tf_mwn.training.meta_learner import MetaLearner


def bilinear_loss(labels, logits, matrix, bias) -> tf.Tensor:
    """4 σ(-(yᵀ W ln p + b)), with p = softmax(z) and σ the logistic function.

    With s = yᵀ W ln p + b and w = Wᵀ y, its gradient in z is 4 σ(s) σ(-s) (p Σ_k w_k - w): that
    of the cross-entropy of the "label" w, times a factor in (0, 1] that is 1 at s = 0 and dies
    off on both sides.

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
    """T = (1/n) Σ 4 σ(-(y_iᵀ W ln p_i + b)): Θ is W [C, C] and b, the shape of the loss itself.

    W says which classes a label speaks for: if label i is often class j by mistake, raising
    W_ij lets the examples labelled i vote for j too. b says how improbable a label must be before
    its example is given up. The loss is in (0, 4) whatever they are, so that no W, not even one
    with negative entries, can send the classifier off to infinity; Θ has no bounds.

    W starts as the identity and b as ln C, so that the loss starts as 4 / (1 + C p_y). At a
    uniform prediction, where training starts, its gradient is that of the cross-entropy; far from
    it the examples that are learned (p_y C >> 1) and those given up (p_y C << 1) count less.

    Args:
        num_classes: C.

    Raises:
        TypeError, ValueError: `num_classes` is no integer of at least 1.

    References:
        Wu et al., Learning to Teach with Dynamic Loss Functions, NeurIPS 2018,
        https://arxiv.org/abs/1810.12081. There W and b are the output of a network that sees the
        state of the student, learned over many trainings; here they are learned themselves, while
        the one classifier trains. The sign, the factor 4 and the start are chosen here.
    """

    def __init__(self, num_classes: int, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = check_count("num_classes", num_classes)
        self.matrix = self.add_weight(
            name="matrix", shape=(num_classes, num_classes), initializer="identity"
        )
        self.bias = self.add_weight(
            name="bias",
            shape=(),
            # Not `Constant`, which takes a Python float to float64 by way of float32.
            initializer=lambda shape, dtype: tf.constant(math.log(num_classes), dtype, shape),
        )

    def objective(self, logits, batch):
        """The mean loss under the current W and b; no weights."""
        matrix, bias = tf.convert_to_tensor(self.matrix), tf.convert_to_tensor(self.bias)
        return global_mean(bilinear_loss(batch.labels, logits, matrix, bias)), None

    def scalars(self):
        """b, the mean of W's diagonal, and the mean of all its entries beside it."""
        trace = tf.linalg.trace(tf.convert_to_tensor(self.matrix))
        others = tf.reduce_sum(self.matrix) - trace
        beside = self.num_classes * max(1, self.num_classes - 1)
        return {
            "bias": self.bias,
            "diagonal": trace / self.num_classes,
            "off_diagonal": others / beside,
        }

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}


def learned_loss(classifier, num_classes: int, **engine) -> MetaLearnedModel:
    """Trains `classifier` with a loss of learned shape, see `LossTeacher`.

    Args:
        classifier: built Keras model that returns logits [B, C].
        num_classes: C.
        **engine: for `MetaLearnedModel`.
    """
    return MetaLearnedModel(classifier, LossTeacher(num_classes), **engine)
