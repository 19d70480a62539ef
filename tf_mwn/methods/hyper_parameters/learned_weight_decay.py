"""An L2 coefficient for each layer, learned on the meta set."""

import collections
from typing import Any

import keras
import tensorflow as tf

from tf_mwn.checks import POSITIVE
from tf_mwn.engine import options as engine_options
from tf_mwn.engine.linearise import Linearisation
from tf_mwn.engine.replicas import all_reduce_sum, num_replicas
from tf_mwn.methods.hyper_parameters.learned_factors import LearnedFactors
from tf_mwn.methods.hyper_parameters.learned_update import LearnedUpdate
from tf_mwn.tensors import Element, Tensor


def kernels_by_layer(classifier: keras.Model) -> list[list[int]]:
    """Indices into `classifier.trainable_variables` of each layer's kernels, layer by layer.

    A kernel has two axes or more. Biases and the scales of normalisation have one, and do not
    decay. The kernels of a recurrent layer form one group.
    """
    groups: dict[tuple[str, int], list[int]] = {}
    met: collections.Counter[str] = collections.Counter()
    for i, variable in enumerate(classifier.trainable_variables):
        if len(variable.shape) >= 2:
            owner = variable.path.rpartition("/")[0]
            # Layers of nested models may share a path, but a layer has each variable name once.
            groups.setdefault((owner, met[variable.path]), []).append(i)
            met[variable.path] += 1
    return list(groups.values())


@keras.saving.register_keras_serializable(package="tf_mwn")
class LearnedWeightDecay(LearnedUpdate):
    """Minimises T + Σ_k λ_k/2 |w_k|² and learns λ_k of each layer on the meta set.

    With λ_k = start · exp(Θ_k), the training gradient of a layer's kernels is
    g_k = ∂T/∂w_k + λ_k w_k. Let u be the meta gradient at the virtual weights ŵ = w - α g. Then

        ∂L_meta/∂Θ_k = -α λ_k <w_k, u_k>

    is exact: λ_k grows if shrinking the layer lowers the meta loss. The virtual and the actual
    step use the same ∂T/∂w.

    The optimizer's own weight decay and the classifier's regularisers add to λ. To learn all of
    the decay on the meta set, leave them out.

    Args:
        classifier: built Keras model that returns logits [B, C].
        weight_decay_start: λ of every layer at the start, above 0. λ stays within factors of
            1/1000 and 1000 of it.
        meta_interval: k; λ is updated at steps 0, k, 2k, ...

    Raises:
        ValueError: no trainable variable of `classifier` has two axes or more.

    Examples:
        >>> model = tf_mwn.LearnedWeightDecay(classifier, weight_decay_start=1e-3)
        >>> model.compile("sgd", meta_optimizer=keras.optimizers.Adam(3e-3))
        >>> history = model.fit(pairs, verbose=0)

    See Also:
        - `HypergradientDescent`, `ArchitectureGate`: other learned hyper-parameters.
        - `CoupledSGD`: a weight decay that is given.

    References:
        Luketina, Berglund, Greff and Raiko, Scalable Gradient-Based Tuning of Continuous
        Regularization Hyperparameters, ICML 2016, https://arxiv.org/abs/1511.06727.
    """

    has_state_of_variables = True

    def __init__(
        self,
        classifier: keras.Model,
        weight_decay_start: float = 5e-4,
        meta_interval: int = engine_options.META_INTERVAL.default,
        **kwargs: Any,
    ) -> None:
        groups = kernels_by_layer(classifier)
        if not groups:
            raise ValueError(
                "classifier: expected a trainable variable of two axes or more, to learn its "
                "decay, received none"
            )
        names = [f"weight_decay_{k + 1}" for k in range(len(groups))]
        start = POSITIVE.check("weight_decay_start", weight_decay_start)
        learned = LearnedFactors(names, start, name="weight_decays")
        super().__init__(classifier, learned, meta_interval=meta_interval, **kwargs)
        self._groups = groups

    def theta_gradient(
        self, linear: Linearisation, gradient: list[Tensor], element: Element
    ) -> list[Tensor]:
        gradient = all_reduce_sum(self._decayed(linear, gradient))
        virtual = self._step_virtually(linear, gradient)
        # This replica's share of u: the meta optimizer adds up the shares.
        direction = self._meta_loss_gradient(linear, virtual.weights, element)
        direction = virtual.transposed(direction)
        decays = self.meta_learner.values_now()
        alignment = [
            tf.add_n([tf.reduce_sum(linear.weights[i] * direction[i]) for i in group])
            for group in self._groups
        ]
        return [
            -tf.cast(virtual.rate, decays.dtype)
            * decays
            * tf.cast(tf.stack(alignment), decays.dtype)
        ]

    def apply_gradient(self, linear: Linearisation, gradient: list[Tensor]) -> None:
        super().apply_gradient(linear, self._decayed(linear, gradient))

    def _decayed(self, linear: Linearisation, gradient: list[tf.Tensor]) -> list[tf.Tensor]:
        """The gradient plus λ w (this replica's share), under the current λ."""
        decays = self.meta_learner.values_now() / num_replicas()
        gradient = list(gradient)
        for k, group in enumerate(self._groups):
            for i in group:
                weight = linear.weights[i]
                gradient[i] += tf.cast(decays[k], weight.dtype) * weight
        return gradient

    def constructor_arguments(self) -> dict[str, Any]:
        return {**super().constructor_arguments(), "weight_decay_start": self.meta_learner.start}
