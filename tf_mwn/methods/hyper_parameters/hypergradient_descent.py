"""The classifier's learning rate, learned while it trains."""

import keras
import tensorflow as tf

from tf_mwn.engine import options as engine_options
from tf_mwn.engine.keras_internals import rate_or_schedule
from tf_mwn.engine.optimizers import without_loss_scale
from tf_mwn.methods.hyper_parameters import specs
from tf_mwn.methods.hyper_parameters.learned_factors import LearnedFactors
from tf_mwn.training.learned_update import LearnedUpdate
from tf_mwn.training.phases import Snapshot

Schedule = keras.optimizers.schedules.LearningRateSchedule


@keras.saving.register_keras_serializable(package="tf_mwn")
class LearnedRate(Schedule):
    """The learning rate of an optimizer, a number or a schedule, times a learned factor.

    Args:
        rate: a positive number, or a schedule.
        factor: who holds the factor; None for 1, as in a configuration.
    """

    def __init__(self, rate: float | Schedule, factor: LearnedFactors | None = None):
        self.rate = rate
        # Behind a function: this is no owner of the factor, and is saved without it.
        self._factor = lambda: factor

    def __call__(self, step):
        rate = self.rate(step) if callable(self.rate) else self.rate
        factor = self._factor()
        if factor is None:
            return tf.convert_to_tensor(rate, keras.config.floatx())
        values = factor.values_now()
        return tf.cast(rate, values.dtype) * values[0]

    def get_config(self):
        return {"rate": keras.saving.serialize_keras_object(self.rate)}

    @classmethod
    def from_config(cls, config):
        return cls(keras.saving.deserialize_keras_object(config["rate"]))


@keras.saving.register_keras_serializable(package="tf_mwn")
class HypergradientDescent(LearnedUpdate):
    """Learns the learning rate α by the derivative of the loss after a step in the rate of it.

    A step moves w along a direction that α scales, w_t = w_{t-1} + α d, so that with
    α = exp(Θ) · (the optimizer's rate, which may be a schedule)

        ∂L(w_t)/∂Θ = <∇L(w_t), w_t - w_{t-1}>.

    Where the gradient at the new place still points along the step, the step was too short, and Θ
    grows. It is exact for every optimizer that multiplies its direction by its rate (SGD, Adam,
    decoupled decay). SGD with momentum also carries rates of steps before, which count as if they
    were of this step: the direction is the momentum's, as in SGD-HD with Nesterov momentum of the
    paper. Nothing is unrolled and nothing is virtual: what is kept of the step is w_{t-1}.

    Args:
        classifier: built Keras model that returns logits [B, C].
        hypergradient_set: L is the loss of the "meta" batch, or that of the "training" batch, as
            in the paper; then no meta set is needed, and a step costs what one of plain
            training does.
        meta_interval: a positive integer; Θ is updated at steps 0, k, 2k, ...

    The factor exp(Θ) stays within a thousandth and a thousand. `compile` puts it into the
    optimizer, which then has a schedule: callbacks cannot set its learning rate.

    References:
        Baydin, Cornish, Martínez Rubio, Schmidt and Wood, Online Learning Rate Adaptation with
        Hypergradient Descent, ICLR 2018, https://arxiv.org/abs/1703.04782.
    """

    def __init__(
        self,
        classifier: keras.Model,
        hypergradient_set: str = specs.HYPERGRADIENT_SET.default,
        meta_interval: int = engine_options.META_INTERVAL.default,
        **kwargs,
    ):
        specs.HYPERGRADIENT_SET.check(hypergradient_set)
        learned = LearnedFactors(["learning_rate_factor"], name="learning_rate_factor")
        super().__init__(classifier, learned, meta_interval=meta_interval, **kwargs)
        self.hypergradient_set = hypergradient_set
        self.needs_meta_set = hypergradient_set == "meta"
        self._before = Snapshot(self, "before", classifier.trainable_variables)

    def compile(self, optimizer, meta_optimizer="adam", loss=None, metrics=None, **kwargs):
        """As `MetaLearnedModel.compile`; the learned factor enters `optimizer`.

        Raises:
            TypeError: the optimizer's learning rate is a plain function.
        """
        optimizer = keras.optimizers.get(optimizer)
        inner = without_loss_scale(optimizer)
        inner.learning_rate = LearnedRate(_given_rate(inner), self.meta_learner)
        super().compile(optimizer, meta_optimizer, loss=loss, metrics=metrics, **kwargs)

    @property
    def metrics(self):
        unused = None if self.needs_meta_set else self.meta_loss_metric
        return [metric for metric in super().metrics if metric is not unused]

    def theta_gradient(self, linear, gradient, element):
        if self.needs_meta_set:
            gradient = self._meta_loss_gradient(linear, linear.weights, element)
        moved = [w - b for w, b in zip(linear.weights, self._before.values(), strict=True)]
        slope = tf.add_n([tf.reduce_sum(g * m) for g, m in zip(gradient, moved, strict=True)])
        # Before the first step, what the weights have come from is no step.
        slope = tf.where(self.optimizer.iterations > 0, slope, tf.zeros_like(slope))
        return [tf.cast(slope, self.meta_learner.theta.dtype)[None]]

    def apply_gradient(self, linear, gradient):
        self._before.take()
        super().apply_gradient(linear, gradient)

    def constructor_arguments(self):
        return {**super().constructor_arguments(), "hypergradient_set": self.hypergradient_set}


def _given_rate(optimizer: keras.optimizers.Optimizer) -> float | Schedule:
    """The optimizer's learning rate without any learned factor."""
    rate = rate_or_schedule(optimizer)
    if isinstance(rate, LearnedRate):
        return rate.rate
    if isinstance(rate, Schedule):
        return rate
    if isinstance(rate, keras.Variable):
        return float(keras.ops.convert_to_numpy(rate))
    raise TypeError(
        "optimizer: expected a number or a keras.optimizers.schedules.LearningRateSchedule as "
        f"learning rate, received {rate!r}"
    )
