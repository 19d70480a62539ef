"""A learned loss (Wu et al. 2018), on the bilevel engine."""

from tf_mwn.methods.teachers.loss_teacher import LossTeacher
from tf_mwn.training.meta_learned import MetaLearnedModel


def learned_loss(classifier, num_classes: int, **engine) -> MetaLearnedModel:
    """Trains `classifier` with a loss of learned shape, see `LossTeacher`.

    Args:
        classifier: built Keras model that returns logits [B, C].
        num_classes: C.
        **engine: for `MetaLearnedModel`.
    """
    return MetaLearnedModel(classifier, LossTeacher(num_classes), **engine)
