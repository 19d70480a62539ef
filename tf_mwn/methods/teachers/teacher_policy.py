"""The teacher of learning to teach: its input, its network and its learning by reward."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from tf_mwn.engine.replicas import state
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.losses.targets import as_logits, target_distribution

_BASELINE_MEMORY = 0.8
_HIDDEN_UNITS = 12


def teaching_features(labels: tf.Tensor, logits: tf.Tensor, student: tf.Tensor) -> tf.Tensor:
    """The teacher's input: features of each example and of the student.

    Args:
        labels: class numbers [B] or distributions [B, C].
        logits: [B, C], a constant.
        student: [3], in [0, 1]: the fraction of the training that has passed, the mean training
            loss, and the best loss on the dev set.

    Returns:
        [B, 2 C + 5]: the label as a distribution, `student`, the probabilities p, -ln p_y, and the
        margin p_y - max_{j≠y} p_j. In the margin, y of a soft label is its likeliest class.
    """
    logits = as_logits(logits)
    target = target_distribution(labels, logits)
    probabilities = tf.nn.softmax(logits)
    likeliest = tf.one_hot(tf.argmax(target, axis=-1), logits.shape[-1], dtype=logits.dtype)
    others = tf.reduce_max(tf.where(likeliest > 0, -1.0, probabilities), axis=-1)
    margin = tf.reduce_sum(likeliest * probabilities, axis=-1) - others
    of_all = tf.ones_like(margin)[:, tf.newaxis] * tf.cast(student, logits.dtype)
    of_each = [cross_entropy(labels, logits)[:, tf.newaxis], margin[:, tf.newaxis]]
    return tf.concat([target, of_all, probabilities, *of_each], axis=-1)


class TeacherPolicy(keras.layers.Layer):
    """An MLP from the features of an example to the logit of keeping it, [B, F] -> [B].

    It is F-12-1 with tanh. The last bias starts at 2, and all other weights uniform in ±0.01.
    Examples are therefore kept with a probability of about σ(2) = 0.88 at first.

    Args:
        num_features: F.
    """

    def __init__(self, num_features: int, **kwargs):
        super().__init__(**kwargs)
        small = keras.initializers.RandomUniform(-0.01, 0.01)
        self.hidden = keras.layers.Dense(
            _HIDDEN_UNITS,
            activation="tanh",
            kernel_initializer=small,
            bias_initializer=small,
            dtype=self.dtype_policy,
        )
        self.out = keras.layers.Dense(
            1,
            kernel_initializer=small,
            bias_initializer=keras.initializers.Constant(2.0),
            dtype=self.dtype_policy,
        )
        self.hidden.build((None, num_features))
        self.out.build((None, _HIDDEN_UNITS))
        self.built = True

    def call(self, features):
        return self.out(self.hidden(features))[:, 0]

    def score(self, features: tf.Tensor, kept: tf.Tensor) -> list[tf.Tensor]:
        """Σ_i ∇ ln π(a_i | s_i) in the weights of the policy.

        π is the keep probability of a kept example, and one minus that of a dropped example.

        Args:
            features: s, [B, F].
            kept: a, 0 or 1, [B].
        """
        with tf.GradientTape() as tape:
            logits = self(features)
            kept = tf.cast(kept, logits.dtype)
            log_probability = kept * tf.math.log_sigmoid(logits)
            log_probability += (1 - kept) * tf.math.log_sigmoid(-logits)
            total = tf.reduce_sum(log_probability)
        return tape.gradient(total, self.trainable_variables)


class Reinforce:
    """REINFORCE with a moving baseline and one update for each episode.

    The gradient of the expected reward is estimated by
    (reward - baseline) (1/n) Σ ∇ ln π(a_i | s_i) over the n decisions of an episode. It is linear
    in the reward, so only the sum over the decisions is kept, as state of the owner. The new
    baseline is 0.8 times the old one plus 0.2 times the reward. The first reward becomes the
    baseline, without an update.

    Args:
        owner: the layer that the state is added to.
        variables: the weights of the policy.

    References:
        Williams, Machine Learning 8, 1992.
    """

    def __init__(self, owner: keras.layers.Layer, variables: Sequence[keras.Variable]):
        self._sums = [state(owner, f"score_{i}", v.shape) for i, v in enumerate(variables)]
        self._decisions = state(owner, "decisions")
        self._episodes = state(owner, "episodes")
        self.reward, self.baseline = state(owner, "reward"), state(owner, "baseline")

    def add_scores(self, scores: Sequence[tf.Tensor], decisions: tf.Tensor) -> None:
        """Adds the scores Σ ∇ ln π of a batch and their number, both summed over replicas."""
        for total, score in zip(self._sums, scores, strict=True):
            total.assign_add(score)
        self._decisions.assign_add(decisions)

    def end_episode(self, reward: float) -> list[tf.Tensor]:
        """Returns minus the gradient of the expected reward, and sets the sums to 0."""
        reward = tf.cast(reward, self.reward.dtype)
        baseline = tf.convert_to_tensor(self.baseline)
        is_first = tf.convert_to_tensor(self._episodes) == 0
        advantage = tf.where(is_first, tf.zeros_like(reward), reward - baseline)
        mean = tf.math.divide_no_nan(-advantage, tf.convert_to_tensor(self._decisions))
        gradient = [mean * tf.convert_to_tensor(total) for total in self._sums]
        for variable in (*self._sums, self._decisions):
            variable.assign(tf.zeros(variable.shape, variable.dtype))
        self.reward.assign(reward)
        self.baseline.assign(reward - _BASELINE_MEMORY * advantage)
        self._episodes.assign_add(1)
        return gradient
