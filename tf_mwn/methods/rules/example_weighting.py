"""Objectives that weigh each example by its history."""

from collections.abc import Mapping

import keras
import tensorflow as tf

from tf_mwn.checks import AT_LEAST_ONE, NON_NEGATIVE, POSITIVE, check_count
from tf_mwn.engine.objective import SEES_CLASSES
from tf_mwn.losses.cross_entropy import expectation
from tf_mwn.losses.targets import target_distribution
from tf_mwn.methods.rules.ada_boost import samme
from tf_mwn.methods.rules.prediction_variance import History, prediction_variance
from tf_mwn.methods.rules.random_weights import rectified_gaussian
from tf_mwn.methods.rules.weighted_loss import LossWeighting, WeightedLoss, scaled_to_mean_one
from tf_mwn.training.example_memory import ExampleMemory


@keras.saving.register_keras_serializable(package="tf_mwn")
class RefreshedWeighting(LossWeighting):
    """v = a function of the loss, renewed in every `refresh_epochs`-th epoch and kept in between.

    This is iteratively re-weighted fitting. When weights are renewed, each example gets the weight
    of its loss at that visit.

    Args:
        function, parameters, loss: see `LossWeighting`.
        num_sample_ids: see `ExampleMemory`.
        steps_per_epoch: optimizer steps in an epoch.
        refresh_epochs: at least 1.
        start_epoch: number of first epochs in which every weight is 1, at least 0.
    """

    def __init__(
        self,
        function: str,
        parameters: Mapping[str, float],
        num_sample_ids: int,
        steps_per_epoch: int,
        refresh_epochs: int = 1,
        start_epoch: int = 0,
        loss: keras.losses.Loss | None = None,
        **kwargs,
    ):
        super().__init__(function, parameters, loss, **kwargs)
        self.save_arguments(
            num_sample_ids=num_sample_ids,
            steps_per_epoch=steps_per_epoch,
            refresh_epochs=refresh_epochs,
            start_epoch=start_epoch,
        )
        self._memory = ExampleMemory(self, num_sample_ids)
        self._steps = check_count("steps_per_epoch", steps_per_epoch)
        self._refresh = check_count("refresh_epochs", refresh_epochs)
        self._start = int(NON_NEGATIVE.check("start_epoch", start_epoch))
        self._kept = self._memory.add("kept_weights", 1.0)

    def observe(self, logits, batch):
        kept = tf.convert_to_tensor(self._kept)
        new = tf.cast(super().curve(batch.losses(logits)), kept.dtype)
        values, seen = self._memory.spread(new, batch)
        epoch = batch.step // self._steps - self._start
        renew = (epoch >= 0) & (epoch % self._refresh == 0)
        self._kept.assign(tf.where(renew & (seen > 0), values, kept))

    def curve(self, losses):
        """None: the weights follow from earlier losses."""

    def example_weights(self, logits, losses, batch):
        return tf.cast(self._memory.of(self._kept, batch), losses.dtype)


@keras.saving.register_keras_serializable(package="tf_mwn")
class PredictionVariance(WeightedLoss):
    """v ∝ sqrt(Var + Var²/(n-1)) + ε over the past p_y of each example, with mean 1 in the batch.

    A weight is 1 during the warm-up and until the example's second visit.

    Args:
        num_sample_ids: see `ExampleMemory`.
        steps_per_epoch: optimizer steps in an epoch.
        epsilon: ε, above 0; 0.2 in the authors' code.
        warmup_epochs: at least 0; the history begins during the warm-up.

    References:
        See `tf_mwn.methods.rules.prediction_variance`.
    """

    sees = SEES_CLASSES

    def __init__(
        self,
        num_sample_ids: int,
        steps_per_epoch: int,
        epsilon: float = 0.2,
        warmup_epochs: int = 15,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.save_arguments(
            num_sample_ids=num_sample_ids,
            steps_per_epoch=steps_per_epoch,
            epsilon=epsilon,
            warmup_epochs=warmup_epochs,
        )
        self._epsilon = POSITIVE.check("epsilon", epsilon)
        warmup = int(NON_NEGATIVE.check("warmup_epochs", warmup_epochs))
        self._warmup = warmup * check_count("steps_per_epoch", steps_per_epoch)
        self._memory = ExampleMemory(self, num_sample_ids)
        self._history = History(*(self._memory.add(name, 0.0) for name in History._fields))

    def observe(self, logits, batch):
        history = History(*map(tf.convert_to_tensor, self._history))
        target = target_distribution(batch.labels, logits)
        p_y = tf.cast(expectation(target, tf.nn.softmax(logits)), history.mean.dtype)
        extended = history.extended(*self._memory.spread(p_y, batch))
        for variable, value in zip(self._history, extended, strict=True):
            variable.assign(value)

    def example_weights(self, logits, losses, batch):
        history = History(*(self._memory.of(values, batch) for values in self._history))
        ready = (history.count >= 2) & (batch.step >= self._warmup)
        raw = prediction_variance(history, epsilon=self._epsilon)
        weights = tf.where(ready, scaled_to_mean_one(raw, tf.cast(ready, raw.dtype)), 1.0)
        return tf.cast(weights, losses.dtype)


@keras.saving.register_keras_serializable(package="tf_mwn")
class AdaBoost(WeightedLoss):
    """v = the boosting weight of each example, renewed after every round of epochs.

    This takes only the weights from AdaBoost: a single classifier trains through all rounds, and
    there is no vote. The last visit in a round decides whether an example is misclassified.

    Args:
        num_sample_ids: see `ExampleMemory`.
        steps_per_epoch: optimizer steps in an epoch.
        round_epochs: epochs in a round, at least 1.
        clip: the largest weight that a step uses, at least 1. A single example with the weight of
            thousands would spoil the classifier. The weights that pass from round to round are
            not clipped.

    References:
        See `tf_mwn.methods.rules.ada_boost`.
    """

    sees = SEES_CLASSES

    def __init__(
        self,
        num_sample_ids: int,
        steps_per_epoch: int,
        round_epochs: int = 5,
        clip: float = 10.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.save_arguments(
            num_sample_ids=num_sample_ids,
            steps_per_epoch=steps_per_epoch,
            round_epochs=round_epochs,
            clip=clip,
        )
        epochs = check_count("round_epochs", round_epochs)
        self._round = epochs * check_count("steps_per_epoch", steps_per_epoch)
        self._clip = AT_LEAST_ONE.check("clip", clip)
        self._memory = ExampleMemory(self, num_sample_ids)
        self._boosted = self._memory.add("boosted", 1.0)
        self._wrong = self._memory.add("is_wrong", 0.0)
        self._known = self._memory.add("known", 0.0)

    def observe(self, logits, batch):
        boosted, wrong, known = map(tf.convert_to_tensor, (self._boosted, self._wrong, self._known))
        is_new_round = (batch.step > 0) & (batch.step % self._round == 0)
        after = samme(boosted, wrong, known, logits.shape[-1])
        self._boosted.assign(tf.where(is_new_round, after, boosted))
        known = tf.where(is_new_round, tf.zeros_like(known), known)
        given = tf.argmax(target_distribution(batch.labels, logits), axis=-1)
        errs = tf.cast(given != tf.argmax(logits, axis=-1), known.dtype)
        values, seen = self._memory.spread(errs, batch)
        self._wrong.assign(tf.where(seen > 0, values, wrong))
        self._known.assign(tf.maximum(known, seen))

    def example_weights(self, logits, losses, batch):
        boosted = self._memory.of(self._boosted, batch)
        return tf.cast(tf.minimum(boosted, self._clip), losses.dtype)


@keras.saving.register_keras_serializable(package="tf_mwn")
class RandomWeights(WeightedLoss):
    """v = max(0, z), with a new standard normal z at every step; mean 1 over the batch.

    Args:
        num_sample_ids: see `ExampleMemory`.
        seed: the weights are a function of (seed, step, sample_id).

    References:
        See `tf_mwn.methods.rules.random_weights`.
    """

    def __init__(self, num_sample_ids: int, seed: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.save_arguments(num_sample_ids=num_sample_ids, seed=seed)
        self._memory = ExampleMemory(self, num_sample_ids)
        self._seed = seed

    def example_weights(self, logits, losses, batch):
        drawn = rectified_gaussian(self._seed, batch.step, self._memory.size, losses.dtype)
        return scaled_to_mean_one(self._memory.of(drawn, batch))
