"""Methods that weigh the training examples by a fixed rule; only the classifier is learned.

Each builder wraps a built Keras classifier that returns logits. The weights multiply the loss of
`compile` and are constants for the gradient: T = (1/n) Σ v_i l_i. A parameter outside its range is
a ValueError that names the range. The other modules of this package give formulas and sources.
"""

import math
from collections.abc import Sequence

from tf_mwn.checks import check_class_counts
from tf_mwn.losses.admissible import TRUNCATION
from tf_mwn.methods.rules import specs
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
    self_paced_age: str = specs.SELF_PACED_AGE.default,
    self_paced_lambda: float = specs.SELF_PACED_LAMBDA.default,
    self_paced_growth: float = specs.SELF_PACED_GROWTH.default,
    self_paced_fraction: float = specs.SELF_PACED_FRACTION.default,
) -> RobustModel:
    """Only examples with a loss up to an age λ, which grows or follows a percentile."""
    settings = self_paced_age, self_paced_lambda, self_paced_growth, self_paced_fraction
    return RobustModel(classifier, SelfPaced(steps_per_epoch, *settings))


def linear_weighting(classifier, linear_lambda: float = specs.LINEAR_LAMBDA.default) -> RobustModel:
    """v = (1 - l/λ)_+."""
    return RobustModel(classifier, LossWeighting("linear", {"lambda_": linear_lambda}))


def polynomial_weighting(
    classifier,
    polynomial_lambda: float = specs.POLYNOMIAL_LAMBDA.default,
    polynomial_d: float = specs.POLYNOMIAL_D.default,
) -> RobustModel:
    """v = (1 - l/λ)_+^{1/(d-1)}."""
    parameters = {"lambda_": polynomial_lambda, "d": polynomial_d}
    return RobustModel(classifier, LossWeighting("polynomial", parameters))


def focal_weighting(classifier, focal_alpha: float = specs.FOCAL_ALPHA.default) -> RobustModel:
    """v = (1 - p_y)^α, not differentiated."""
    return RobustModel(classifier, LossWeighting("focal", {"alpha": focal_alpha}))


def hard_mining(
    classifier,
    class_counts: Sequence[float],
    hard_mining_lambda: float = specs.HARD_MINING_LAMBDA.default,
) -> RobustModel:
    """Only examples with a loss above λ, and all examples of the small classes."""
    return RobustModel(classifier, HardMining(class_counts, hard_mining_lambda))


def prediction_variance(
    classifier,
    num_sample_ids: int,
    steps_per_epoch: int,
    variance_epsilon: float = specs.VARIANCE_EPSILON.default,
    variance_warmup_epochs: int = specs.VARIANCE_WARMUP_EPOCHS.default,
) -> RobustModel:
    """More weight for examples whose p_y has varied during training."""
    settings = variance_epsilon, variance_warmup_epochs
    return RobustModel(classifier, PredictionVariance(num_sample_ids, steps_per_epoch, *settings))


def iterative_reweighting(
    classifier,
    num_sample_ids: int,
    steps_per_epoch: int,
    iterative_function: str = specs.ITERATIVE_FUNCTION.default,
    iterative_sigma: float = specs.ITERATIVE_SIGMA.default,
    iterative_q: float = specs.ITERATIVE_Q.default,
    iterative_k: float = specs.ITERATIVE_K.default,
    iterative_epochs: int = specs.ITERATIVE_EPOCHS.default,
) -> RobustModel:
    """Weights of a robust function of the loss, renewed every few epochs.

    The functions are σ⁴/(l + σ²)² ("geman_mcclure"), p_y^q ("gce") and 1(p_y >= k) ("truncated").
    With k >= 1/C an untrained classifier has no examples to learn from.
    """
    specs.ITERATIVE_FUNCTION.check(iterative_function)
    function, parameters = {
        "geman_mcclure": ("geman_mcclure", {"sigma": specs.ITERATIVE_SIGMA.check(iterative_sigma)}),
        "gce": ("gce", {"q": iterative_q}),
        "truncated": ("self_paced", {"lambda_": largest_loss(iterative_k)}),
    }[iterative_function]
    objective = RefreshedWeighting(
        function, parameters, num_sample_ids, steps_per_epoch, iterative_epochs
    )
    return RobustModel(classifier, objective)


def largest_loss(k: float) -> float:
    """-ln k: the cross-entropy at p_y = k."""
    return -math.log(TRUNCATION.check("k", k))


def ada_boost(
    classifier,
    num_sample_ids: int,
    steps_per_epoch: int,
    ada_boost_epochs: int = specs.ADA_BOOST_EPOCHS.default,
    ada_boost_clip: float = specs.ADA_BOOST_CLIP.default,
) -> RobustModel:
    """Boosting weights, renewed after each round of epochs."""
    settings = ada_boost_epochs, ada_boost_clip
    return RobustModel(classifier, AdaBoost(num_sample_ids, steps_per_epoch, *settings))


def instance_reweighting(
    classifier, class_counts: Sequence[float], instance_clip: float = specs.INSTANCE_CLIP.default
) -> RobustModel:
    """v = N/(C n_y): all classes count as if they were equally frequent."""
    specs.INSTANCE_CLIP.check(instance_clip)
    weights = class_prior_weights(check_class_counts(class_counts), clip=instance_clip)
    return RobustModel(classifier, ClassWeighting(weights.tolist()))


def random_weights(classifier, num_sample_ids: int, seed: int = 0) -> RobustModel:
    """Rectified Gaussian weights, new at every step."""
    return RobustModel(classifier, RandomWeights(num_sample_ids, seed))
