"""A loss with hyper-parameters that are learned on the meta set rather than searched."""

import itertools
import sys
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from tf_mwn.checks import Interval
from tf_mwn.engine.objective import SEES_CLASSES, TrainingBatch
from tf_mwn.losses.loss_class import PerExampleLoss
from tf_mwn.tensors import Logits, Tensor
from tf_mwn.training.meta_learner import MetaLearner


@keras.saving.register_keras_serializable(package="tf_mwn")
class LearnedLoss(MetaLearner):
    """T = (1/n) Σ ℓ(y_i, z_i; Λ), where Θ is the hyper-parameters Λ of a loss.

    Each learned hyper-parameter is one variable. Its raw value is learned, without a squashing
    function, and is clipped to its interval after every update. The other hyper-parameters keep
    their values. Choose a meta optimizer and rate that suit the scale of Λ: the sources use SGD at
    the classifier's rate, or Adam at 1e-3.

    Args:
        loss: a loss of `tf_mwn.losses`; its hyper-parameters are the initial values.
        bounds: name -> (least, largest) of each hyper-parameter to learn; the largest may be
            infinite.

    Raises:
        TypeError: `loss` is not from this package, or a hyper-parameter is no real number.
        ValueError: `bounds` is empty, names a hyper-parameter that the loss does not have,
            excludes the initial value, or allows a value that the loss does not.

    Examples:
        >>> from tf_mwn.losses.generalized import GeneralizedCrossEntropy
        >>> learned = tf_mwn.LearnedLoss(GeneralizedCrossEntropy(q=0.7), {"q": (0.01, 1.0)})
        >>> model = tf_mwn.MetaLearnedModel(classifier, learned)
        >>> model.compile("sgd", meta_optimizer=keras.optimizers.Adam(1e-2))
        >>> list(learned.scalars())
        ['q']

    See Also:
        - `MetaLearner`: a training objective of your own.
        - `LossTeacher`: a loss that is learned as a whole.

    References:
        Shu, Zhao, Chen, Xu and Meng, Learning Adaptive Loss for Robust Learning with Noisy Labels,
        https://arxiv.org/abs/2002.06482.
    """

    takes_sample_weight = True
    sees = SEES_CLASSES

    def __init__(
        self, loss: PerExampleLoss, bounds: Mapping[str, tuple[float, float]], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(loss, PerExampleLoss):
            raise TypeError(f"loss: expected a loss of tf_mwn.losses, received {loss!r}")
        if not bounds or not set(bounds) <= set(loss.hyper_parameters):
            raise ValueError(
                f"bounds: expected some of {', '.join(loss.hyper_parameters)}, "
                f"received {', '.join(bounds) or 'none'}"
            )
        self._loss = loss
        pairs = {name: tuple(map(float, ends)) for name, ends in bounds.items()}
        self._intervals = {name: Interval(*pair) for name, pair in pairs.items()}  # type: ignore[arg-type]
        _check_corners(loss, self._intervals)
        self._fixed = {k: v for k, v in loss.hyper_parameters.items() if k not in bounds}
        self._learned = {
            name: self._variable(name, interval.check(name, loss.hyper_parameters[name]))
            for name, interval in self._intervals.items()
        }

    def _variable(self, name: str, initial: float) -> keras.Variable:
        return self.add_weight(
            name=name,
            shape=(),
            # `Constant` would round a Python float to float32, even for a float64 variable.
            initializer=lambda shape, dtype: tf.constant(initial, dtype, shape),
            aggregation="only_first_replica",  # all replicas clip the same value
        )

    def objective(self, logits: Logits, batch: TrainingBatch) -> tuple[Tensor, Tensor | None]:
        """The mean loss under the current Λ; no weights."""
        learned = {name: tf.convert_to_tensor(v) for name, v in self._learned.items()}
        return batch.mean(self._loss.function(batch.labels, logits, **self._fixed, **learned)), None

    def project(self) -> None:
        for name, variable in self._learned.items():
            interval = self._intervals[name]
            variable.assign(tf.clip_by_value(variable, interval.low, interval.high))

    def scalars(self) -> dict[str, Tensor]:
        return {name.rstrip("_"): variable for name, variable in self._learned.items()}

    def get_config(self) -> dict[str, Any]:
        bounds = {name: (ends.low, ends.high) for name, ends in self._intervals.items()}
        arguments = keras.saving.serialize_keras_object({"loss": self._loss, "bounds": bounds})
        return {**super().get_config(), **arguments}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LearnedLoss":
        return super().from_config(
            {k: keras.saving.deserialize_keras_object(v) for k, v in config.items()}
        )


def _check_corners(loss: PerExampleLoss, intervals: Mapping[str, Interval]) -> None:
    """Raises ValueError if the loss is undefined at a corner of the bounds: Λ may reach it."""
    largest = sys.float_info.max
    ends = [[max(i.low, -largest), min(i.high, largest)] for i in intervals.values()]
    for corner in itertools.product(*ends):
        try:
            type(loss).from_config(
                {**loss.get_config(), **dict(zip(intervals, corner, strict=True))}
            )
        except ValueError as error:
            raise ValueError(f"bounds of {error}") from None
