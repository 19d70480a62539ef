"""The weight net V(loss; Θ) of Meta-Weight-Net."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_mwn.engine.objective import SEES_LOSSES, TrainingBatch
from tf_mwn.engine.replicas import all_reduce_sum
from tf_mwn.methods.meta_weight_net.specs import WEIGHT_NORMALIZATION
from tf_mwn.tensors import Logits, Losses, Tensor
from tf_mwn.training.meta_learner import MetaLearner


@keras.saving.register_keras_serializable(package="tf_mwn")
class WeightNet(MetaLearner):
    """v = V(l; Θ): an MLP from the loss of an example to its weight in (0, 1).

    Hidden layers are ReLU, and the output is a sigmoid. Kernels and biases start uniform in
    ±1/sqrt(fan in), as in the authors' code. Keras' default zero biases would put every kink of
    the first layer at loss 0, and V would start as a sigmoid of a linear function. The weights
    start near 0.5.

    Args:
        units: sizes of the hidden layers; (100,) is the paper's 1-100-1.
        normalization: how the weights enter the objective. "none" is the paper's (1/n) Σ v l.
            "sum" is Σ v l / Σ v (the authors' 2019 scripts): normalising subtracts a baseline, so
            the meta gradient sees only relative agreement. "sum_detached" is the same with Σ v
            constant in the meta gradient (CMW-Net's code). Sums run over the global batch. A sum
            of 0 is replaced by 1.
        detach_loss: True makes v a coefficient, constant in the virtual gradient (the paper's
            step 5). False lets that gradient flow through V (the authors' imbalance script). The
            actual gradient (step 7) never does.

    Examples:
        >>> weight_net = tf_mwn.WeightNet(units=(20,), normalization="sum")
        >>> losses = np.array([0.1, 1.0, 5.0], "float32")
        >>> weight_net.curve(losses).shape
        TensorShape([3])

    See Also:
        - `MetaWeightNet`: learns it.
        - `ClassAwareNet`: weights that depend on the size of the class, too.
        - `save_weight_net`, `load_weight_net`: its file.

    References:
        Shu et al., Meta-Weight-Net, NeurIPS 2019, https://arxiv.org/abs/1902.07379.
    """

    takes_sample_weight = True
    sees = SEES_LOSSES

    def __init__(
        self,
        units: Sequence[int] = (100,),
        normalization: str = "none",
        detach_loss: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        units = tuple(units)
        if any(isinstance(u, bool) or not isinstance(u, int) or u < 1 for u in units):
            raise ValueError(f"units: expected positive integers, received {units}")
        WEIGHT_NORMALIZATION.check(normalization)
        self.units = units
        self.normalization = normalization
        self.detach_loss = detach_loss
        sizes = (1, *units, 1)
        activations = ["relu"] * len(units) + ["sigmoid"]
        self.dense_layers = [
            dense(fan_in, size, activation, self.dtype_policy)
            for fan_in, size, activation in zip(sizes[:-1], sizes[1:], activations, strict=True)
        ]
        self.build(None)

    def build(self, input_shape: Any) -> None:
        for fan_in, layer in zip((1, *self.units), self.dense_layers, strict=True):
            if not layer.built:
                layer.build((None, fan_in))
        self.built = True

    def call(self, loss: Any) -> Tensor:
        """Weights in (0, 1) for losses [B] or [B, 1], of the same shape."""
        loss = tf.convert_to_tensor(loss)
        x = tf.cast(tf.reshape(loss, [-1, 1]), self.compute_dtype)
        for layer in self.dense_layers:
            x = layer(x)
        return x[:, 0] if loss.shape.rank == 1 else x

    def objective(self, logits: Logits, batch: TrainingBatch) -> tuple[Tensor, Tensor | None]:
        """The weighted loss, normalised by `normalization`, and the weights v [B]."""
        return self._weighted_loss(logits, batch, self.detach_loss)

    def actual_objective(
        self, logits: Logits, batch: TrainingBatch
    ) -> tuple[Tensor, Tensor | None]:
        """As `objective`, with v a coefficient."""
        return self._weighted_loss(logits, batch, detach_loss=True)

    def _weighted_loss(
        self, logits: Logits, batch: TrainingBatch, detach_loss: bool
    ) -> tuple[Tensor, Tensor | None]:
        losses = batch.losses(logits)
        seen = tf.stop_gradient(losses) if detach_loss else losses
        weights = tf.cast(self(seen), losses.dtype)
        return weighted_share(batch, weights, losses, self.normalization), weights

    def curve(self, losses: Losses) -> Tensor | None:
        return self(losses)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "normalization": self.normalization,
            "detach_loss": self.detach_loss,
        }


def weighted_share(
    batch: TrainingBatch, weights: tf.Tensor, losses: tf.Tensor, normalization: str
) -> tf.Tensor:
    """This replica's share of the weighted loss of weights [B] and losses [B]; see `WeightNet`.

    With weights s of the examples it is (1/n) Σ s v l, or Σ s v l / Σ s v.
    """
    if normalization == "none":
        return batch.mean(weights * losses)
    weights = batch.counted(weights)
    total = all_reduce_sum(tf.reduce_sum(weights))
    if normalization == "sum_detached":
        total = tf.stop_gradient(total)
    total = tf.where(total > 0, total, tf.ones_like(total))
    return tf.reduce_sum(weights * losses) / total


def dense(fan_in: int, size: int, activation: str, dtype: Any) -> keras.layers.Dense:
    """A layer whose kernel and bias start uniform in ±1/sqrt(fan in)."""
    bound = fan_in**-0.5
    return keras.layers.Dense(
        size,
        activation=activation,
        kernel_initializer=keras.initializers.RandomUniform(-bound, bound),
        bias_initializer=keras.initializers.RandomUniform(-bound, bound),
        dtype=dtype,
    )
