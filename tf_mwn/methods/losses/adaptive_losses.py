"""Robust losses with hyper-parameters that are learned on the meta set (Shu et al. 2020).

Each builder wraps a built Keras classifier that returns logits. The options are those of the fixed
loss, and give the initial values. `**engine` goes to `MetaLearnedModel`. An initial value outside
the bounds of learning is a ValueError that names them.
"""

import math

from tf_mwn.losses.bi_tempered import BiTempered
from tf_mwn.losses.generalized import GeneralizedCrossEntropy
from tf_mwn.losses.poly_soft import PolySoft
from tf_mwn.losses.symmetric import SymmetricCrossEntropy
from tf_mwn.methods.losses import specs
from tf_mwn.methods.losses.learned_loss import LearnedLoss
from tf_mwn.training.meta_learned import MetaLearnedModel


def adaptive_gce(classifier, gce_q: float = specs.GCE_Q.default, **engine) -> MetaLearnedModel:
    """q of the generalised cross-entropy, in [0.01, 1].

    Examples:
        >>> from tf_mwn.methods.losses.adaptive_losses import adaptive_gce
        >>> model = adaptive_gce(classifier)
        >>> model.compile("sgd", meta_optimizer=keras.optimizers.Adam(1e-2))
        >>> sorted(model.meta_learner.scalars())
        ['q']

    See Also:
        `LearnedLoss`: any hyper-parameters of a loss.
    """
    learned = LearnedLoss(GeneralizedCrossEntropy(gce_q), {"q": (0.01, 1.0)})
    return MetaLearnedModel(classifier, learned, **engine)


def adaptive_sce(
    classifier,
    sce_alpha: float = specs.SCE_ALPHA.default,
    sce_beta: float = specs.SCE_BETA.default,
    sce_a: float = specs.SCE_A.default,
    **engine,
) -> MetaLearnedModel:
    """α and β of the symmetric cross-entropy, each in [0, 20]; A is fixed.

    Examples:
        >>> from tf_mwn.methods.losses.adaptive_losses import adaptive_sce
        >>> model = adaptive_sce(classifier)
        >>> model.compile("sgd", meta_optimizer=keras.optimizers.Adam(1e-2))
        >>> sorted(model.meta_learner.scalars())
        ['alpha', 'beta']

    See Also:
        `LearnedLoss`: any hyper-parameters of a loss.
    """
    loss = SymmetricCrossEntropy(sce_alpha, sce_beta, sce_a)
    learned = LearnedLoss(loss, {"alpha": (0.0, 20.0), "beta": (0.0, 20.0)})
    return MetaLearnedModel(classifier, learned, **engine)


def adaptive_bi_tempered(
    classifier,
    bi_tempered_t1: float = specs.BI_TEMPERED_T1.default,
    bi_tempered_t2: float = specs.BI_TEMPERED_T2.default,
    **engine,
) -> MetaLearnedModel:
    """t1 in [0, 0.99] and t2 in [1.01, 4] of the bi-tempered loss.

    Examples:
        >>> from tf_mwn.methods.losses.adaptive_losses import adaptive_bi_tempered
        >>> model = adaptive_bi_tempered(classifier)
        >>> model.compile("sgd", meta_optimizer=keras.optimizers.Adam(1e-2))
        >>> sorted(model.meta_learner.scalars())
        ['t1', 't2']

    See Also:
        `LearnedLoss`: any hyper-parameters of a loss.
    """
    loss = BiTempered(bi_tempered_t1, bi_tempered_t2)
    learned = LearnedLoss(loss, {"t1": (0.0, 0.99), "t2": (1.01, 4.0)})
    return MetaLearnedModel(classifier, learned, **engine)


def adaptive_poly_soft(
    classifier,
    num_classes: int,
    poly_soft_lambda: float = specs.POLY_SOFT_LAMBDA.default,
    poly_soft_d: float = specs.POLY_SOFT_D.default,
    **engine,
) -> MetaLearnedModel:
    """λ in [ln C, 20] and d in [1.01, 20] of PolySoft.

    An example with a loss above λ has no weight, and gives λ and d no signal. A uniform prediction
    has the loss ln C, so with this lower bound an untrained classifier can still learn. λ starts at
    5, or at 1.5 ln C where that default is below ln C (149 classes or more).

    Examples:
        >>> from tf_mwn.methods.losses.adaptive_losses import adaptive_poly_soft
        >>> model = adaptive_poly_soft(classifier, num_classes=2)
        >>> model.compile("sgd", meta_optimizer=keras.optimizers.Adam(1e-2))
        >>> sorted(model.meta_learner.scalars())
        ['d', 'lambda']

    See Also:
        `LearnedLoss`: any hyper-parameters of a loss.
    """
    least = math.log(num_classes)
    if poly_soft_lambda == specs.POLY_SOFT_LAMBDA.default < least:
        poly_soft_lambda = 1.5 * least
    loss = PolySoft(poly_soft_lambda, poly_soft_d)
    learned = LearnedLoss(loss, {"lambda_": (least, 20.0), "d": (1.01, 20.0)})
    return MetaLearnedModel(classifier, learned, **engine)
