"""MentorNet's curricula: the intended weight v* of an example at each stage of training.

v* depends on the loss l of the example, the difference d between l and a running percentile of the
losses, and the stage, which is the percentage of training that is done.
"""

import tensorflow as tf

from tf_mwn.methods.mentornet.specs import MENTOR_CURRICULUM
from tf_mwn.methods.rules.focal_weights import focal_modulator
from tf_mwn.methods.rules.self_paced import self_paced

EASY_UNTIL, LINEAR_FROM = 18, 90  # percent


def linear(differences: tf.Tensor, *, gamma=1.0) -> tf.Tensor:
    """v* = min(1, max(0, 1 - d/γ)).

    Args:
        differences: d, any shape.
        gamma: γ > 0, the least difference with weight 0.

    Returns:
        Weights in [0, 1], shaped like `differences`.
    """
    return tf.clip_by_value(1 - differences / gamma, 0, 1)


def mixed(differences: tf.Tensor, percent: tf.Tensor) -> tf.Tensor:
    """The predefined curriculum: all examples, then the easy ones, then soft weights.

    v* = 1 up to 18 % of training, 1(d <= 0) up to 90 %, and `linear` in d from then on.

    Args:
        differences: d, [N].
        percent: integers 0..99, [N] or a scalar.

    Returns:
        Weights in [0, 1], [N].
    """
    easy = self_paced(differences, lambda_=0.0)
    late = tf.where(percent >= LINEAR_FROM, linear(differences), easy)
    return tf.where(percent <= EASY_UNTIL, tf.ones_like(differences), late)


_FUNCTIONS = {
    "mixed": lambda losses, differences, percent: mixed(differences, percent),
    "baseline": lambda losses, differences, percent: tf.ones_like(losses),
    "self_paced": lambda losses, differences, percent: self_paced(differences, lambda_=0.0),
    "hard_mining": lambda losses, differences, percent: tf.cast(differences >= 0, losses.dtype),
    "focal": lambda losses, differences, percent: focal_modulator(losses, alpha=2.0),
    "linear": lambda losses, differences, percent: linear(differences),
}


def curriculum(
    name: str, losses: tf.Tensor, differences: tf.Tensor, percent: tf.Tensor
) -> tf.Tensor:
    """v* of a curriculum, with the parameters of the authors' code: γ = 1, and α = 2 for "focal".

    Args:
        name: "mixed" is MentorNet's usual curriculum, and "baseline" has v* = 1.
        losses: l >= 0, [N].
        differences: d, [N].
        percent: integers 0..99, [N].

    Returns:
        Weights in [0, 1], [N].

    Raises:
        ValueError: another name.

    References:
        Jiang et al., MentorNet, ICML 2018. https://arxiv.org/abs/1712.05055
    """
    MENTOR_CURRICULUM.check(name)
    return _FUNCTIONS[name](losses, differences, percent)
