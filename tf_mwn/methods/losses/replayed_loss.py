"""A loss with hyper-parameters that follow a trajectory from an earlier training."""

from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from tf_mwn.checks import check_count
from tf_mwn.engine.objective import SEES_CLASSES
from tf_mwn.engine.replicas import state
from tf_mwn.files import SCALAR_PREFIX, read_columns, scalars
from tf_mwn.losses.loss_class import PerExampleLoss
from tf_mwn.training.mean_loss import MeanLoss


@keras.saving.register_keras_serializable(package="tf_mwn")
class ReplayedLoss(MeanLoss):
    """T = (1/n) Σ ℓ(y_i, z_i; Λ(t)), with Λ(t) from an earlier adaptive training.

    Λ(t) is linear between the ends of epochs. After the last recorded epoch it is constant.

    Args:
        loss: a loss of `tf_mwn.losses`; its own hyper-parameters are Λ(0).
        trajectory: name -> values at the end of each epoch.
        steps_per_epoch: optimizer steps in an epoch.

    Raises:
        TypeError: `loss` is not from this package.
        ValueError: a name that the loss does not have, or no values.

    References:
        Shu, Zhao, Chen, Xu and Meng, https://arxiv.org/abs/2002.06482, ask whether the final value
        helps, or the path to it.
    """

    sees = SEES_CLASSES

    def __init__(
        self,
        loss: PerExampleLoss,
        trajectory: Mapping[str, Sequence[float]],
        steps_per_epoch: int,
        **kwargs,
    ):
        super().__init__(loss, **kwargs)
        if not isinstance(loss, PerExampleLoss):
            raise TypeError(f"loss: expected a loss of tf_mwn.losses, received {loss!r}")
        known = loss.hyper_parameters
        lengths = {len(values) for values in trajectory.values()}
        if not trajectory or not set(trajectory) <= set(known) or len(lengths) != 1 or 0 in lengths:
            raise ValueError(
                f"trajectory: expected values of some of {', '.join(known)}, one per epoch, "
                f"received {', '.join(trajectory) or 'none'}"
            )
        trajectory = {name: [float(v) for v in values] for name, values in trajectory.items()}
        self.save_arguments(trajectory=trajectory, steps_per_epoch=steps_per_epoch)
        self._steps = check_count("steps_per_epoch", steps_per_epoch)
        self._loss = loss
        self._points = {name: [known[name], *values] for name, values in trajectory.items()}
        self._now = {
            name: state(self, name, initializer=keras.initializers.Constant(known[name]))
            for name in trajectory
        }

    def observe(self, logits, batch):
        for name, variable in self._now.items():
            points = tf.constant(self._points[name], variable.dtype)
            variable.assign(_interpolated(points, batch.step, self._steps))

    def objective(self, logits, batch):
        """The mean loss under Λ(t); no weights."""
        values = {name: tf.convert_to_tensor(variable) for name, variable in self._now.items()}
        hyper_parameters = {**self._loss.hyper_parameters, **values}
        losses = self._loss.function(batch.labels, logits, **hyper_parameters)
        return batch.mean(losses), None

    def scalars(self):
        return {name.rstrip("_"): variable for name, variable in self._now.items()}


def read_trajectory(path: str, names: Sequence[str]) -> dict[str, list[float]]:
    """The hyper-parameters of each epoch in the metrics.csv of an adaptive run.

    Args:
        path: the file.
        names: hyper-parameters of the loss that the run may have learned.

    Raises:
        ValueError: no such file, or none of the hyper-parameters in it.
    """
    try:
        recorded = scalars(read_columns(path))
    except OSError as error:
        raise ValueError(
            f"trajectory: expected the metrics.csv of an adaptive run, received {path} ({error})"
        ) from error
    columns = {name: recorded.get(name.rstrip("_")) for name in names}
    found = {name: texts for name, texts in columns.items() if texts and texts[0]}
    if not found:
        wanted = ", ".join(SCALAR_PREFIX + name.rstrip("_") for name in names)
        raise ValueError(
            f"trajectory: expected one of the columns {wanted} of an adaptive run, "
            f"received {path} without any"
        )
    return {name: [float(text) for text in texts] for name, texts in found.items()}


def _interpolated(points: tf.Tensor, step, steps: int) -> tf.Tensor:
    """The value at `step` on the line through `points` [n] at steps 0, `steps`, 2 `steps`, ..."""
    last = points.shape[0] - 1
    position = tf.minimum(tf.cast(step, tf.float64) / steps, float(last))
    before = tf.cast(tf.floor(position), tf.int32)
    after = tf.minimum(before + 1, last)
    share = tf.cast(position - tf.floor(position), points.dtype)
    return (1 - share) * tf.gather(points, before) + share * tf.gather(points, after)
