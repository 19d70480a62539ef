"""Objectives that weigh each example by a fixed rule, without a history."""

from collections.abc import Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.checks import BELOW_ONE, NON_NEGATIVE, POSITIVE, check_count, check_name
from tf_mwn.engine.objective import SEES_CLASSES, TrainingBatch
from tf_mwn.engine.replicas import all_gather, all_reduce_sum, state
from tf_mwn.losses.admissible import GCE_Q, POLY_SOFT_D
from tf_mwn.losses.cross_entropy import expectation
from tf_mwn.losses.targets import target_distribution
from tf_mwn.methods.rules import focal_weights, robust_statistics, self_paced, specs
from tf_mwn.methods.rules.hard_mining import hard_mining, minority_classes
from tf_mwn.training.mean_loss import MeanLoss

# Name -> (the weight as a function of the loss, the range of each parameter).
FUNCTIONS = {
    "self_paced": (self_paced.self_paced, {"lambda_": NON_NEGATIVE}),
    "linear": (self_paced.linear, {"lambda_": POSITIVE}),
    "polynomial": (self_paced.polynomial, {"lambda_": POSITIVE, "d": POLY_SOFT_D}),
    "focal": (focal_weights.focal_modulator, {"alpha": NON_NEGATIVE}),
    "geman_mcclure": (robust_statistics.geman_mcclure, {"sigma": POSITIVE}),
    "gce": (robust_statistics.generalized_cross_entropy_weight, {"q": GCE_Q}),
}


class WeightedLoss(MeanLoss):
    """T = (1/n) Σ v_i ℓ_i, with weights v that are constants for the gradient.

    Args:
        loss: ℓ, see `MeanLoss`. The weights always depend on the loss of `compile`.
    """

    def example_weights(self, logits, losses, batch: TrainingBatch) -> tf.Tensor:
        """v [B], given constant logits [B, C] and their losses [B]."""
        raise NotImplementedError

    def objective(self, logits, batch: TrainingBatch):
        """(1/n) Σ v_i ℓ_i over the global batch, and v."""
        constant = tf.stop_gradient(logits)
        weights = tf.stop_gradient(self.example_weights(constant, batch.losses(constant), batch))
        return batch.mean(weights * self.trained_losses(logits, batch)), weights


def scaled_to_mean_one(weights: tf.Tensor, taking_part: tf.Tensor | None = None) -> tf.Tensor:
    """Weights [B] divided by their mean over the global batch; 0 if all are 0.

    Args:
        weights: [B].
        taking_part: [B]; 1 for the weights that enter the mean, else 0. None for all.
    """
    part = tf.ones_like(weights) if taking_part is None else taking_part
    total, number = all_reduce_sum((tf.reduce_sum(weights * part), tf.reduce_sum(part)))
    return weights * tf.math.divide_no_nan(number, total)


@keras.saving.register_keras_serializable(package="tf_mwn")
class LossWeighting(WeightedLoss):
    """v = a function of the loss alone.

    Args:
        function: one of `FUNCTIONS`.
        parameters: its parameters, by name.
        loss: see `WeightedLoss`.

    Raises:
        ValueError: an unknown function or parameter, or a parameter outside its range.
    """

    def __init__(
        self,
        function: str,
        parameters: Mapping[str, float],
        loss: keras.losses.Loss | None = None,
        **kwargs,
    ):
        super().__init__(loss, **kwargs)
        check_name("function", function, FUNCTIONS)
        self.save_arguments(function=function, parameters=dict(parameters))
        self._function, sets = FUNCTIONS[function]
        if set(parameters) != set(sets):
            raise ValueError(
                f"parameters: expected {', '.join(sets)}, received {', '.join(parameters)}"
            )
        self._parameters = {name: sets[name].check(name, v) for name, v in parameters.items()}

    def example_weights(self, logits, losses, batch):
        return self.curve(losses)

    def curve(self, losses):
        return self._function(losses, **self._parameters)


@keras.saving.register_keras_serializable(package="tf_mwn")
class SelfPaced(WeightedLoss):
    """v = 1(l <= λ), with an age λ that follows training.

    Args:
        steps_per_epoch: optimizer steps in an epoch.
        age: with "growing", λ grows by the factor `growth` per epoch. With "percentile", λ is a
            running mean: each global batch adds the quantile `fraction` of its losses, so about
            that fraction of the examples takes part.
        lambda_: λ at the start, for "growing". Below ln C nothing is learned until λ has grown
            past ln C.
        growth: for "growing".
        fraction: for "percentile".
        memory: share of the old λ in the running mean, in [0, 1); for "percentile".

    Raises:
        ValueError: an argument outside its range.

    References:
        Kumar, Packer and Koller, NeurIPS 2010 (growing); Jiang et al., MentorNet, ICML 2018 (the
        running percentile). https://arxiv.org/abs/1712.05055
    """

    def __init__(
        self,
        steps_per_epoch: int,
        age: str = specs.SELF_PACED_AGE.default,
        lambda_: float = specs.SELF_PACED_LAMBDA.default,
        growth: float = specs.SELF_PACED_GROWTH.default,
        fraction: float = specs.SELF_PACED_FRACTION.default,
        memory: float = 0.9,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.save_arguments(
            steps_per_epoch=steps_per_epoch,
            age=age,
            lambda_=lambda_,
            growth=growth,
            fraction=fraction,
            memory=memory,
        )
        self._steps = check_count("steps_per_epoch", steps_per_epoch)
        self._rule = specs.SELF_PACED_AGE.check(age)
        self._lambda = specs.SELF_PACED_LAMBDA.check(lambda_)
        self._growth = specs.SELF_PACED_GROWTH.check(growth)
        self._fraction = specs.SELF_PACED_FRACTION.check(fraction)
        self._memory = BELOW_ONE.check("memory", memory)
        # The running mean starts at the first batch's quantile; losses are never negative.
        first = self._lambda if age == "growing" else -1.0
        self._age = state(self, "age", initializer=keras.initializers.Constant(first))

    def observe(self, logits, batch):
        age = tf.convert_to_tensor(self._age)
        if self._rule == "growing":
            epoch = tf.cast(batch.step // self._steps, age.dtype)
            new = self_paced.growing_age(epoch, lambda_=self._lambda, growth=self._growth)
        else:
            losses = all_gather(tf.cast(batch.losses(logits), age.dtype))
            quantile = self_paced.quantile(losses, self._fraction)
            mean = self._memory * age + (1 - self._memory) * quantile
            new = tf.where(age < 0, quantile, mean)
        self._age.assign(new)

    def example_weights(self, logits, losses, batch):
        return self.curve(losses)

    def curve(self, losses):
        return self_paced.self_paced(losses, lambda_=tf.cast(self._age, losses.dtype))

    def scalars(self):
        return {"lambda": self._age}


@keras.saving.register_keras_serializable(package="tf_mwn")
class ClassWeighting(WeightedLoss):
    """v = the weight of the example's class; a soft label has the expected weight.

    Args:
        class_weights: [C], at least 0.
        start_step: optimizer steps before the weights apply; until then every weight is 1.
        loss: see `WeightedLoss`.
    """

    sees = SEES_CLASSES

    def __init__(
        self,
        class_weights: Sequence[float],
        start_step: int = 0,
        loss: keras.losses.Loss | None = None,
        **kwargs,
    ):
        super().__init__(loss, **kwargs)
        self.save_arguments(class_weights=list(class_weights), start_step=start_step)
        self._table = [NON_NEGATIVE.check("class_weights", float(v)) for v in class_weights]
        self._start = int(start_step)

    def example_weights(self, logits, losses, batch):
        table = tf.constant(self._table, losses.dtype)
        weights = expectation(
            tf.cast(target_distribution(batch.labels, logits), table.dtype), table
        )
        return tf.where(batch.step >= self._start, weights, tf.ones_like(weights))


@keras.saving.register_keras_serializable(package="tf_mwn")
class HardMining(WeightedLoss):
    """v = 1(l > λ) for the large classes; the small ones are kept at any loss.

    Args:
        class_counts: training examples of each class, [C]. `minority_classes` tells which classes
            are small.
        lambda_: λ, at least 0.

    References:
        See `tf_mwn.methods.rules.hard_mining`.
    """

    sees = SEES_CLASSES

    def __init__(self, class_counts: Sequence[float], lambda_: float = 0.5, **kwargs):
        super().__init__(**kwargs)
        self.save_arguments(class_counts=np.asarray(class_counts).tolist(), lambda_=lambda_)
        self._small = [float(small) for small in minority_classes(class_counts)]
        self._lambda = NON_NEGATIVE.check("lambda_", lambda_)

    def example_weights(self, logits, losses, batch):
        target = target_distribution(batch.labels, logits)
        is_positive = expectation(target, tf.constant(self._small, target.dtype)) > 0.5
        return hard_mining(losses, is_positive, lambda_=self._lambda)
