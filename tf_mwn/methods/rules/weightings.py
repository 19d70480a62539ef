"""Methods that weigh the training examples by a fixed rule; nothing is learned but the classifier.

Each builder wraps a built Keras classifier that returns logits. The weights multiply the loss of
`compile` and are constants for the gradient: T = (1/n) Σ v_i l_i. A parameter outside its set is a
ValueError that names the set. Formulas and sources: the other modules of this package.
"""

import math
from collections.abc import Sequence

from tf_mwn.checks import unknown_name
from tf_mwn.losses.admissible import POSITIVE, TRUNCATION, UNIT, check_class_counts
from tf_mwn.losses.generalized import GeneralizedCrossEntropy
from tf_mwn.methods.rules import ROBUST_FUNCTIONS
from tf_mwn.methods.rules.class_priors import class_prior_weights
from tf_mwn.methods.rules.example_weighting import (
    AdaBoost,
    PredictionVariance,
    RandomWeights,
    RefreshedWeighting,
)
from tf_mwn.methods.rules.weighted_loss import ClassWeighting, HardMining, LossWeighting, SelfPaced
from tf_mwn.training.robust_model import RobustModel


def self_paced(
    classifier,
    steps_per_epoch: int,
    self_paced_age: str = "percentile",
    self_paced_lambda: float = 2.5,
    self_paced_growth: float = 1.1,
    self_paced_fraction: float = 0.75,
) -> RobustModel:
    """Only examples whose loss is within an age λ, which grows or follows a percentile."""
    settings = self_paced_age, self_paced_lambda, self_paced_growth, self_paced_fraction
    return RobustModel(classifier, SelfPaced(steps_per_epoch, *settings))


def linear_weighting(classifier, linear_lambda: float = 5.0) -> RobustModel:
    """v = (1 - l/λ)_+."""
    return RobustModel(classifier, LossWeighting("linear", {"lambda_": linear_lambda}))


def polynomial_weighting(
    classifier, polynomial_lambda: float = 5.0, polynomial_d: float = 3.0
) -> RobustModel:
    """v = (1 - l/λ)_+^{1/(d-1)}."""
    parameters = {"lambda_": polynomial_lambda, "d": polynomial_d}
    return RobustModel(classifier, LossWeighting("polynomial", parameters))


def focal_weighting(classifier, focal_alpha: float = 2.0) -> RobustModel:
    """v = (1 - p_y)^α, not differentiated."""
    return RobustModel(classifier, LossWeighting("focal", {"alpha": focal_alpha}))


def hard_mining(
    classifier, class_counts: Sequence[float], hard_mining_lambda: float = 0.5
) -> RobustModel:
    """Only examples with a loss above λ, and all of the small classes."""
    return RobustModel(classifier, HardMining(class_counts, hard_mining_lambda))


def prediction_variance(
    classifier,
    num_sample_ids: int,
    steps_per_epoch: int,
    variance_epsilon: float = 0.2,
    variance_warmup_epochs: int = 15,
) -> RobustModel:
    """More weight for examples whose p_y has varied during training."""
    settings = variance_epsilon, variance_warmup_epochs
    return RobustModel(classifier, PredictionVariance(num_sample_ids, steps_per_epoch, *settings))


def iterative_reweighting(
    classifier,
    num_sample_ids: int,
    steps_per_epoch: int,
    iterative_function: str = "geman_mcclure",
    iterative_sigma: float = 1.0,
    iterative_q: float = 0.7,
    iterative_k: float = 0.05,
    iterative_epochs: int = 1,
) -> RobustModel:
    """Weights of a robust function of the loss, renewed every few epochs.

    "geman_mcclure": σ⁴/(l + σ²)²; "gce": p_y^q; "truncated": 1(p_y >= k), where k at or above 1/C
    leaves a classifier that starts from nothing without examples.
    """
    if iterative_function not in ROBUST_FUNCTIONS:
        raise ValueError(unknown_name("iterative_function", iterative_function, ROBUST_FUNCTIONS))
    function, parameters = {
        "geman_mcclure": ("geman_mcclure", {"sigma": POSITIVE.check("sigma", iterative_sigma)}),
        "gce": ("gce", {"q": iterative_q}),
        "truncated": ("self_paced", {"lambda_": _largest_loss(iterative_k)}),
    }[iterative_function]
    objective = RefreshedWeighting(
        function, parameters, num_sample_ids, steps_per_epoch, iterative_epochs
    )
    return RobustModel(classifier, objective)


def truncated_gce(
    classifier,
    num_sample_ids: int,
    steps_per_epoch: int,
    epochs: int,
    gce_q: float = 0.7,
    truncated_gce_k: float = 0.5,
    truncated_gce_start: float = 1 / 3,
    truncated_gce_epochs: int = 10,
) -> RobustModel:
    """Generalised cross-entropy of the examples with p_y >= k; the others are pruned.

    T = (1/n) Σ v_i L_q(p_y), whose gradient is that of the truncated loss v L_q(p_y) + (1-v)
    L_q(k). All v are 1 at first; after a part of the epochs v = 1(p_y >= k), renewed every few
    epochs. The authors renew all of v at once, by the best classifier so far; here each example
    is judged when it is visited, by the classifier of that moment.

    Args:
        classifier: built Keras model that returns logits.
        num_sample_ids: see `RefreshedWeighting`.
        steps_per_epoch, epochs: of the whole training.
        gce_q: q, in (0, 1].
        truncated_gce_k: k, in (0, 1).
        truncated_gce_start: fraction of the epochs before pruning; 40 of 120 in the paper.
        truncated_gce_epochs: epochs between renewals.

    References:
        Zhang and Sabuncu, NeurIPS 2018, section 3.3. https://arxiv.org/abs/1805.07836
    """
    objective = RefreshedWeighting(
        "self_paced",
        {"lambda_": _largest_loss(truncated_gce_k)},
        num_sample_ids,
        steps_per_epoch,
        truncated_gce_epochs,
        start_epoch=round(UNIT.check("truncated_gce_start", truncated_gce_start) * epochs),
        loss=GeneralizedCrossEntropy(gce_q),
    )
    return RobustModel(classifier, objective)


def _largest_loss(k: float) -> float:
    """-ln k: the cross-entropy at p_y = k."""
    return -math.log(TRUNCATION.check("k", k))


def ada_boost(
    classifier,
    num_sample_ids: int,
    steps_per_epoch: int,
    ada_boost_epochs: int = 5,
    ada_boost_clip: float = 10.0,
) -> RobustModel:
    """Boosting weights, renewed after rounds of epochs."""
    settings = ada_boost_epochs, ada_boost_clip
    return RobustModel(classifier, AdaBoost(num_sample_ids, steps_per_epoch, *settings))


def instance_reweighting(
    classifier, class_counts: Sequence[float], instance_clip: float = 100.0
) -> RobustModel:
    """v = N/(C n_y): the training classes weighed as if all were equally frequent."""
    clip = POSITIVE.check("instance_clip", instance_clip)
    weights = class_prior_weights(check_class_counts(class_counts), clip=clip)
    return RobustModel(classifier, ClassWeighting(weights.tolist()))


def random_weights(classifier, num_sample_ids: int, seed: int = 0) -> RobustModel:
    """Rectified Gaussian weights, new at every step."""
    return RobustModel(classifier, RandomWeights(num_sample_ids, seed))
