"""Methods that minimise the mean of one fixed robust loss; only the classifier is learned.

Each builder wraps a built Keras classifier that returns logits. The options are hyper-parameters
of the loss. A value outside its range is a ValueError that names the range. The logged "loss"
remains that of `compile`.
"""

from collections.abc import Sequence

import keras

from tf_mwn.checks import check_class_counts
from tf_mwn.engine.meta_schedule import late_start
from tf_mwn.losses.bi_tempered import BiTempered
from tf_mwn.losses.bootstrapping import ReedHard, ReedSoft
from tf_mwn.losses.class_counts import LDAM, class_balanced_weights
from tf_mwn.losses.focal import Focal
from tf_mwn.losses.generalized import GeneralizedCrossEntropy
from tf_mwn.losses.label_correction import ForwardCorrection
from tf_mwn.losses.poly_soft import PolySoft
from tf_mwn.losses.symmetric import MeanAbsoluteError, SymmetricCrossEntropy
from tf_mwn.methods.losses import specs
from tf_mwn.methods.losses.early_learning import EarlyLearning
from tf_mwn.methods.losses.replayed_loss import ReplayedLoss, read_trajectory
from tf_mwn.methods.rules.example_weighting import RefreshedWeighting
from tf_mwn.methods.rules.weighted_loss import ClassWeighting
from tf_mwn.methods.rules.weightings import largest_loss
from tf_mwn.training.mean_loss import MeanLoss
from tf_mwn.training.robust_model import RobustModel


def _mean(classifier: keras.Model, loss: keras.losses.Loss) -> RobustModel:
    return RobustModel(classifier, MeanLoss(loss))


def _fixed_or_replayed(classifier, loss, trajectory=None, steps_per_epoch=None) -> RobustModel:
    """`loss`, with fixed hyper-parameters or those in the metrics.csv of an adaptive run."""
    if trajectory is None:
        return _mean(classifier, loss)
    recorded = read_trajectory(trajectory, tuple(loss.hyper_parameters))
    return RobustModel(classifier, ReplayedLoss(loss, recorded, steps_per_epoch))


def gce(classifier, gce_q: float = specs.GCE_Q.default, **replay) -> RobustModel:
    """Generalised cross-entropy (1 - p_y^q)/q; `**replay`: see `_fixed_or_replayed`."""
    return _fixed_or_replayed(classifier, GeneralizedCrossEntropy(gce_q), **replay)


def truncated_gce(
    classifier,
    num_sample_ids: int,
    steps_per_epoch: int,
    epochs: int,
    gce_q: float = specs.GCE_Q.default,
    truncated_gce_k: float = specs.TRUNCATED_GCE_K.default,
    truncated_gce_start: float = specs.TRUNCATED_GCE_START.default,
    truncated_gce_epochs: int = specs.TRUNCATED_GCE_EPOCHS.default,
) -> RobustModel:
    """Generalised cross-entropy of the examples with p_y >= k; the others are pruned.

    T = (1/n) Σ v_i L_q(p_y) has the same gradient as the truncated loss
    v L_q(p_y) + (1-v) L_q(k). Every v is 1 at first. Later v = 1(p_y >= k), renewed every few
    epochs. The authors renew all v at once, with the best classifier so far. Here v is renewed at
    each example's visit, with the current classifier.

    Args:
        classifier: built Keras model that returns logits.
        num_sample_ids: see `RefreshedWeighting`.
        steps_per_epoch, epochs: of the whole training.
        gce_q: q.
        truncated_gce_k: k.
        truncated_gce_start: fraction of the epochs before pruning, at least one epoch: an untrained
            classifier has p_y < k everywhere. It is 40 of 120 epochs in the paper.
        truncated_gce_epochs: epochs between renewals.

    References:
        Zhang and Sabuncu, NeurIPS 2018, section 3.3. https://arxiv.org/abs/1805.07836
    """
    objective = RefreshedWeighting(
        "self_paced",
        {"lambda_": largest_loss(truncated_gce_k)},
        num_sample_ids,
        steps_per_epoch,
        truncated_gce_epochs,
        start_epoch=max(1, round(specs.TRUNCATED_GCE_START.check(truncated_gce_start) * epochs)),
        loss=GeneralizedCrossEntropy(gce_q),
    )
    return RobustModel(classifier, objective)


def sce(
    classifier,
    sce_alpha: float = specs.SCE_ALPHA.default,
    sce_beta: float = specs.SCE_BETA.default,
    sce_a: float = specs.SCE_A.default,
    **replay,
) -> RobustModel:
    """Symmetric cross-entropy α CE + β RCE, with A for ln 0; `**replay` as in `gce`."""
    loss = SymmetricCrossEntropy(sce_alpha, sce_beta, sce_a)
    return _fixed_or_replayed(classifier, loss, **replay)


def mae(classifier) -> RobustModel:
    """Mean absolute error 2 - 2 p_y. Its gradient vanishes with p_y, so learning is slow."""
    return _mean(classifier, MeanAbsoluteError())


def bi_tempered(
    classifier,
    bi_tempered_t1: float = specs.BI_TEMPERED_T1.default,
    bi_tempered_t2: float = specs.BI_TEMPERED_T2.default,
    **replay,
) -> RobustModel:
    """The bi-tempered logistic loss; the largest logit predicts, and `**replay` is as in `gce`."""
    return _fixed_or_replayed(classifier, BiTempered(bi_tempered_t1, bi_tempered_t2), **replay)


def poly_soft(
    classifier,
    poly_soft_lambda: float = specs.POLY_SOFT_LAMBDA.default,
    poly_soft_d: float = specs.POLY_SOFT_D.default,
    **replay,
) -> RobustModel:
    """PolySoft of the age λ and the shape d; `**replay` as in `gce`."""
    return _fixed_or_replayed(classifier, PolySoft(poly_soft_lambda, poly_soft_d), **replay)


def focal(
    classifier,
    focal_gamma: float = specs.FOCAL_GAMMA.default,
    focal_detach: bool = specs.FOCAL_DETACH.default,
) -> RobustModel:
    """The focal loss in its softmax form."""
    return _mean(classifier, Focal(focal_gamma, focal_detach))


def elr(
    classifier,
    num_sample_ids: int,
    num_classes: int,
    elr_beta: float = specs.ELR_BETA.default,
    elr_lambda: float = specs.ELR_LAMBDA.default,
) -> RobustModel:
    """The loss of `compile` with early-learning regularisation; see `EarlyLearning`."""
    return RobustModel(classifier, EarlyLearning(num_sample_ids, num_classes, elr_beta, elr_lambda))


def reed_soft(classifier, reed_soft_beta: float = specs.REED_SOFT_BETA.default) -> RobustModel:
    """Soft bootstrapping."""
    return _mean(classifier, ReedSoft(reed_soft_beta))


def reed_hard(classifier, reed_hard_beta: float = specs.REED_HARD_BETA.default) -> RobustModel:
    """Hard bootstrapping."""
    return _mean(classifier, ReedHard(reed_hard_beta))


def forward_correction(classifier, transition_matrix) -> RobustModel:
    """Cross-entropy of the prediction after a known label transition matrix [C, C]."""
    return _mean(classifier, ForwardCorrection(transition_matrix))


def class_balanced(
    classifier,
    class_counts: Sequence[float],
    class_balanced_beta: float = specs.CLASS_BALANCED_BETA.default,
) -> RobustModel:
    """The loss of `compile` weighted by the inverse effective number of examples [C]."""
    weights = _class_balanced(class_counts, class_balanced_beta)
    return RobustModel(classifier, ClassWeighting(weights))


def ldam_drw(
    classifier,
    class_counts: Sequence[float],
    steps_per_epoch: int,
    epochs: int,
    class_balanced_beta: float = specs.CLASS_BALANCED_BETA.default,
    ldam_max_margin: float = specs.LDAM_MAX_MARGIN.default,
    ldam_scale: float = specs.LDAM_SCALE.default,
    ldam_defer: float = specs.LDAM_DEFER.default,
) -> RobustModel:
    """LDAM with deferred re-weighting: class-balanced weights apply after part of the epochs.

    The authors' last layer normalises weights and features, and their scale 30 turns its cosines
    in [-1, 1] into logits. Their margins apply to the cosines. The last layer of a plain
    classifier already returns logits, so here the scale is 1 by default and the margin is in
    units of a logit. With a normalised last layer, pass the authors' scale.

    Args:
        classifier: built Keras model that returns logits.
        class_counts: training examples of each class, [C].
        steps_per_epoch, epochs: of the whole training.
        class_balanced_beta: β of the weights.
        ldam_max_margin: margin of the rarest class.
        ldam_scale: factor on the logits.
        ldam_defer: fraction of the epochs before the weights apply; 160 of 200 in the paper.

    References:
        Cao et al., NeurIPS 2019. https://arxiv.org/abs/1906.07413
    """
    start_epoch = late_start(specs.LDAM_DEFER.check(ldam_defer), epochs)
    loss = LDAM(class_counts, ldam_max_margin, ldam_scale)
    weights = _class_balanced(class_counts, class_balanced_beta)
    return RobustModel(classifier, ClassWeighting(weights, start_epoch * steps_per_epoch, loss))


def _class_balanced(class_counts, beta: float) -> list[float]:
    specs.CLASS_BALANCED_BETA.check(beta)
    weights = class_balanced_weights(check_class_counts(class_counts), beta=beta)
    return keras.ops.convert_to_numpy(weights).tolist()
