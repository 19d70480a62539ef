"""The objective of MentorNet: weights from a fixed mentor."""

import keras
import tensorflow as tf

from tf_mwn.checks import BELOW_ONE, FRACTION, Interval, check_count
from tf_mwn.engine.objective import SEES_EXAMPLES
from tf_mwn.engine.replicas import all_gather, own_rows, state
from tf_mwn.methods.mentornet.example_dropout import kept, rates_by_percent
from tf_mwn.methods.mentornet.mentor_net import MentorNet, mentor_features
from tf_mwn.methods.rules.self_paced import quantile
from tf_mwn.methods.rules.weighted_loss import WeightedLoss
from tf_mwn.training.random_draws import random_bits

_PERCENT = Interval(0, 100)


@keras.saving.register_keras_serializable(package="tf_mwn")
class MentorWeighting(WeightedLoss):
    """T = (1/n) Σ v_i l_i, with v_i = g(l_i, l_i - m, 0, percent) from a mentor g, and dropout.

    m is the running mean, from 0, of a percentile of the losses of each global batch. The authors'
    code also scales the classifier's weight decay by the mean of v; here the decay is constant.

    Args:
        mentor: g. Its variables are state of this objective, and training does not change them.
        num_sample_ids: the `sample_id` of a batch is in [0, num_sample_ids).
        steps_per_epoch, epochs: of the whole training, which ends at 100 %.
        percentile: as a fraction in (0, 1].
        memory: share of the old m in the running mean, in [0, 1).
        burn_in: a percent of training; every v_i is 1 while percent < burn_in - 1.
        freezes: whether the mentor gets min(percent, burn_in) in place of the percent.
        example_dropout: schedule of the rate r, see `rates_by_percent`. Each step keeps the weights
            of int(n (1 - r)) random examples of the global batch and sets the others to 0.
        seed: the choice of the kept examples is a function of (seed, step, sample_id).

    Raises:
        TypeError, ValueError: an argument outside its range.

    References:
        Jiang et al., ICML 2018, https://arxiv.org/abs/1712.05055.
    """

    sees = SEES_EXAMPLES

    def __init__(
        self,
        mentor: MentorNet,
        num_sample_ids: int,
        steps_per_epoch: int,
        epochs: int,
        percentile: float = 0.7,
        memory: float = 0.5,
        burn_in: int = 0,
        freezes: bool = False,
        example_dropout: str = "0,100",
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.save_arguments(
            mentor=mentor,
            num_sample_ids=num_sample_ids,
            steps_per_epoch=steps_per_epoch,
            epochs=epochs,
            percentile=percentile,
            memory=memory,
            burn_in=burn_in,
            freezes=freezes,
            example_dropout=example_dropout,
            seed=seed,
        )
        self._size = check_count("num_sample_ids", num_sample_ids)
        self._steps = check_count("steps_per_epoch", steps_per_epoch) * check_count(
            "epochs", epochs
        )
        self._fraction = FRACTION.check("percentile", percentile)
        self._memory = BELOW_ONE.check("memory", memory)
        self._burn_in = int(_PERCENT.check("burn_in", burn_in))
        self._freezes = freezes
        self._rates = rates_by_percent(example_dropout)
        self._seed = seed
        self.mentor = mentor
        mentor.trainable = False
        self._mark = state(self, "percentile", dtype=keras.config.floatx())
        self._percent = state(self, "percent", dtype="int32")

    def observe(self, logits, batch):
        mark = tf.convert_to_tensor(self._mark)
        losses = all_gather(tf.cast(batch.losses(logits), mark.dtype))
        new = quantile(losses, self._fraction)
        self._mark.assign(self._memory * mark + (1 - self._memory) * new)
        percent = 100 * tf.cast(batch.step, tf.int64) // self._steps
        self._percent.assign(tf.cast(tf.minimum(percent, 99), tf.int32))

    def example_weights(self, logits, losses, batch):
        """The mentor's weights [B]; 0 for the examples that dropout leaves out."""
        return self.curve(losses) * tf.cast(self._takes_part(batch), losses.dtype)

    def curve(self, losses):
        """The mentor's weights [N] at this stage of training, before dropout."""
        percent = tf.convert_to_tensor(self._percent)
        told = tf.minimum(percent, self._burn_in) if self._freezes else percent
        differences = losses - tf.cast(self._mark, losses.dtype)
        weights = tf.cast(self.mentor(mentor_features(losses, differences, told)), losses.dtype)
        return tf.where(percent < self._burn_in - 1, tf.ones_like(weights), weights)

    def _takes_part(self, batch) -> tf.Tensor:
        """Booleans [B]: the examples that example dropout keeps."""
        if batch.sample_id is None:
            raise ValueError("sample_id: expected the ids of the examples, received none")
        rate = tf.gather(tf.constant(self._rates, tf.float64), self._percent)
        drawn = random_bits([self._size], self._seed, batch.step, "example dropout")
        mine = tf.gather(drawn, batch.sample_id)
        return own_rows(kept(all_gather(mine), rate), tf.size(mine))

    def scalars(self):
        return {"percentile": self._mark}
