"""Meta-Weight-Net: learns which examples to trust while the classifier trains."""

import functools
import os
from collections.abc import Sequence
from typing import Any

import keras

from tf_mwn.engine import options as engine_options
from tf_mwn.engine.objective import TrainingBatch, logits_gradient
from tf_mwn.methods.meta_weight_net import specs
from tf_mwn.methods.meta_weight_net.weight_net import WeightNet
from tf_mwn.methods.meta_weight_net.weight_net_file import load_weight_net, save_weight_net
from tf_mwn.tensors import Logits, Tensor
from tf_mwn.training.classifiers import VirtualVariables
from tf_mwn.training.meta_learned import MetaLearnedModel
from tf_mwn.training.robust_model import RobustModel


@keras.saving.register_keras_serializable(package="tf_mwn")
class MetaWeightNet(MetaLearnedModel):
    """Trains `classifier` with sample weights V(loss; Θ) learned on a small clean meta set.

    Args:
        classifier: built Keras model that returns logits [B, C]. This object itself is trained,
            and can be used alone afterwards.
        weight_net_units: hidden layer sizes of V; (100,) is the paper's 1-100-1.
        weight_normalization: "none" (the paper: mean of v l), "sum" (Σ v l / Σ v) or
            "sum_detached"; see `WeightNet`. Use "sum" for short trainings: with the plain mean,
            the meta gradient at first rewards raising every weight.
        virtual_variables, meta_interval, virtual_step, reuse_gradient, recompute, speed: trade
            exactness for time, or time for memory; see `MetaLearnedModel`. The defaults are the
            paper's step.
        detach_loss: whether V's input is constant in the virtual gradient, as in the paper.
            False lets that gradient flow through it, as in the authors' class-imbalance script.

    Examples:
        >>> model = tf_mwn.MetaWeightNet(classifier, weight_normalization="sum")
        >>> model.compile("sgd", meta_optimizer=keras.optimizers.Adam(3e-3), metrics=["accuracy"])
        >>> history = model.fit(x, y, x_meta=x_meta, y_meta=y_meta, batch_size=50, verbose=0)
        >>> model.sample_weight(y, classifier(x)).shape
        TensorShape([100])

    See Also:
        - `Robust`: what we recommend, Meta-Weight-Net with what keeps it right.
        - `Health`: whether the weights find wrong labels.
        - `CMWNet`: without a clean set. `L2RW`: a free weight for each example.

    References:
        Shu et al., Meta-Weight-Net: Learning an Explicit Mapping For Sample Weighting,
        NeurIPS 2019, https://arxiv.org/abs/1902.07379.
    """

    def __init__(
        self,
        classifier: keras.Model,
        weight_net_units: Sequence[int] = specs.WEIGHT_NET_UNITS.default,
        weight_normalization: str = specs.WEIGHT_NORMALIZATION.default,
        virtual_variables: VirtualVariables = engine_options.VIRTUAL_VARIABLES.default,
        meta_interval: int = engine_options.META_INTERVAL.default,
        virtual_step: str = engine_options.VIRTUAL_STEP.default,
        detach_loss: bool = specs.DETACH_LOSS.default,
        reuse_gradient: bool = engine_options.REUSE_GRADIENT.default,
        recompute: bool = engine_options.RECOMPUTE.default,
        speed: str = engine_options.SPEED.default,
        **kwargs: Any,
    ) -> None:
        weight_net = WeightNet(
            weight_net_units, weight_normalization, detach_loss, name="weight_net"
        )
        super().__init__(
            classifier,
            weight_net,
            virtual_variables,
            meta_interval,
            virtual_step,
            reuse_gradient,
            recompute,
            speed,
            **kwargs,
        )
        if self.reuse_gradient and not detach_loss:
            raise ValueError(
                "reuse_gradient: expected False with detach_loss=False, whose virtual gradient is "
                "not that of the classifier's step, received True"
            )

    @property
    def weight_net(self) -> WeightNet:
        """V; variables in the order kernel, bias, kernel, bias, ..."""
        return self.meta_learner

    def step_gradient(self, logits: Logits, batch: TrainingBatch) -> tuple[Logits, Tensor | None]:
        if self.weight_net.detach_loss or self.is_warming_up:
            return self.logits_gradient(logits, batch)
        return logits_gradient(
            lambda z: self.weight_net.actual_objective(*self.seen(z, batch)), logits
        )

    def artifacts(self) -> dict[str, Any]:
        return {"weight_net.json": functools.partial(save_weight_net, self.weight_net)}

    def constructor_arguments(self) -> dict[str, Any]:
        return {
            **self.step_arguments(),
            "weight_net_units": self.weight_net.units,
            "weight_normalization": self.weight_net.normalization,
            "detach_loss": self.weight_net.detach_loss,
        }


def frozen_weight_net(classifier: keras.Model, weight_net: str | os.PathLike[str]) -> RobustModel:
    """Trains `classifier` with the weights of a fixed V from an earlier training.

    This needs no meta set and no meta optimizer. A step costs the same as in plain training.

    Args:
        classifier: built Keras model that returns logits [B, C].
        weight_net: file of `save_weight_net`. It also sets how the weights enter the objective.

    Raises:
        ValueError, OSError: see `load_weight_net`.
    """
    fixed = load_weight_net(os.fspath(weight_net))
    fixed.detach_loss = True  # there is no virtual step
    return RobustModel(classifier, fixed)
