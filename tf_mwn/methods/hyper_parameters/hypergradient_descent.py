"""A learning rate that is learned while the classifier trains."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras.optimizers.schedules import LearningRateSchedule as Schedule

from tf_mwn.engine import options as engine_options
from tf_mwn.engine.keras_internals import rate_or_schedule
from tf_mwn.engine.linearise import Linearisation
from tf_mwn.engine.optimizers import without_loss_scale
from tf_mwn.methods.hyper_parameters import specs
from tf_mwn.methods.hyper_parameters.learned_factors import LearnedFactors
from tf_mwn.methods.hyper_parameters.learned_update import LearnedUpdate
from tf_mwn.tensors import Element, Tensor
from tf_mwn.training.phases import Snapshot


@keras.saving.register_keras_serializable(package="tf_mwn")
class LearnedRate(Schedule):
    """A learning rate times a learned factor.

    Args:
        rate: a positive number, or a schedule.
        factor: the layer that owns the factor; None for 1, as after `from_config`.
    """

    _factor: Callable[[], LearnedFactors | None]

    def __init__(self, rate: float | Schedule, factor: LearnedFactors | None = None) -> None:
        self.rate = rate
        # Hidden in a function: the schedule does not own the factor and is saved without it.
        self._factor = lambda: factor

    def __call__(self, step: Any) -> Tensor:
        rate = self.rate(step) if callable(self.rate) else self.rate
        factor = self._factor()
        if factor is None:
            return tf.convert_to_tensor(rate, keras.config.floatx())
        values = factor.values_now()
        return tf.cast(rate, values.dtype) * values[0]

    def get_config(self) -> dict[str, Any]:
        return {"rate": keras.saving.serialize_keras_object(self.rate)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LearnedRate":
        return cls(keras.saving.deserialize_keras_object(config["rate"]))


@keras.saving.register_keras_serializable(package="tf_mwn")
class HypergradientDescent(LearnedUpdate):
    """Learns the learning rate α from the derivative of the loss after a step in the step's rate.

    A step w_t = w_{t-1} + α d moves w along a direction d. With α = exp(Θ) · (the optimizer's
    rate, which may be a schedule),

        ∂L(w_t)/∂Θ = <∇L(w_t), w_t - w_{t-1}>.

    If the loss still falls along the step, the step was too short and Θ grows. The derivative is
    exact for every optimizer that multiplies a direction by its rate (SGD, Adam, decoupled decay).
    SGD with momentum also carries the rates of earlier steps. They count as if they were of this
    step, as in the paper's SGD-HD with Nesterov momentum. There is no unrolling and no virtual
    step; only w_{t-1} is kept.

    `compile` puts the factor exp(Θ), in [1/1000, 1000], into the optimizer. The optimizer then has
    a schedule, so callbacks cannot set its learning rate.

    Args:
        classifier: built Keras model that returns logits [B, C].
        hypergradient_set: L is the loss of the "meta" batch or, as in the paper, of the "training"
            batch. The latter needs no meta set, and its steps cost the same as plain training.
        meta_interval: k; Θ is updated at steps 0, k, 2k, ...

    Examples:
        >>> model = tf_mwn.HypergradientDescent(classifier)
        >>> model.compile(keras.optimizers.SGD(0.01), meta_optimizer=keras.optimizers.SGD(0.1))
        >>> history = model.fit(pairs, verbose=0)

    See Also:
        `LearnedWeightDecay`, `ArchitectureGate`: other learned hyper-parameters.

    References:
        Baydin, Cornish, Martínez Rubio, Schmidt and Wood, Online Learning Rate Adaptation with
        Hypergradient Descent, ICLR 2018, https://arxiv.org/abs/1703.04782.
    """

    has_state_of_variables = True

    def __init__(
        self,
        classifier: keras.Model,
        hypergradient_set: str = specs.HYPERGRADIENT_SET.default,
        meta_interval: int = engine_options.META_INTERVAL.default,
        **kwargs: Any,
    ) -> None:
        specs.HYPERGRADIENT_SET.check(hypergradient_set)
        learned = LearnedFactors(["learning_rate_factor"], name="learning_rate_factor")
        super().__init__(classifier, learned, meta_interval=meta_interval, **kwargs)
        self.hypergradient_set = hypergradient_set
        self.needs_meta_set = hypergradient_set == "meta"
        self._before = Snapshot(self, "before", classifier.trainable_variables)

    def compile(
        self,
        optimizer: Any,
        meta_optimizer: Any = "adam",
        loss: Any = None,
        metrics: Any = None,
        **kwargs: Any,
    ) -> None:
        """As `MetaLearnedModel.compile`; the learned factor enters `optimizer`.

        Raises:
            TypeError: the optimizer's learning rate is a plain function.
        """
        optimizer = keras.optimizers.get(optimizer)
        inner = without_loss_scale(optimizer)
        inner.learning_rate = LearnedRate(_given_rate(inner), self.meta_learner)
        super().compile(optimizer, meta_optimizer, loss=loss, metrics=metrics, **kwargs)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        unused = None if self.needs_meta_set else self.meta_loss_metric
        return [metric for metric in super().metrics if metric is not unused]

    def theta_gradient(
        self, linear: Linearisation, gradient: list[Tensor], element: Element
    ) -> list[Tensor]:
        if self.needs_meta_set:
            gradient = self._meta_loss_gradient(linear, linear.weights, element)
        moved = [w - b for w, b in zip(linear.weights, self._before.values(), strict=True)]
        slope = tf.add_n([tf.reduce_sum(g * m) for g, m in zip(gradient, moved, strict=True)])
        # There is no earlier step at the first one.
        slope = tf.where(self.optimizer.iterations > 0, slope, tf.zeros_like(slope))
        return [tf.cast(slope, self.meta_learner.theta.dtype)[None]]

    def apply_gradient(self, linear: Linearisation, gradient: list[Tensor]) -> None:
        self._before.take()
        super().apply_gradient(linear, gradient)

    def constructor_arguments(self) -> dict[str, Any]:
        return {**super().constructor_arguments(), "hypergradient_set": self.hypergradient_set}


def _given_rate(optimizer: keras.optimizers.Optimizer) -> float | Schedule:
    """The optimizer's learning rate without any learned factor."""
    rate = rate_or_schedule(optimizer)
    if isinstance(rate, LearnedRate):
        return rate.rate
    if isinstance(rate, Schedule):
        return rate
    if isinstance(rate, keras.Variable):
        return float(rate.numpy())
    raise TypeError(
        "optimizer: expected a number or a keras.optimizers.schedules.LearningRateSchedule as "
        f"learning rate, received {rate!r}"
    )
