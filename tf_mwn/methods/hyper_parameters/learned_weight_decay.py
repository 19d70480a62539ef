"""Regularisation learned on the meta set: an L2 coefficient for each layer."""

import collections

import keras
import tensorflow as tf

from tf_mwn.checks import POSITIVE
from tf_mwn.engine import options as engine_options
from tf_mwn.engine.linearise import Linearisation
from tf_mwn.engine.replicas import all_reduce_sum, num_replicas
from tf_mwn.methods.hyper_parameters.learned_factors import LearnedFactors
from tf_mwn.training.learned_update import LearnedUpdate


def kernels_by_layer(classifier: keras.Model) -> list[list[int]]:
    """Indices into `classifier.trainable_variables` of each layer's kernels, layer by layer.

    A kernel has two axes or more; biases and the scales of normalisation have one, and are not
    decayed. A recurrent layer's kernels belong together.
    """
    groups, met = {}, collections.Counter()
    for i, variable in enumerate(classifier.trainable_variables):
        if len(variable.shape) >= 2:
            owner = variable.path.rpartition("/")[0]
            # Layers of nested models may share a path; each has a variable of a name once.
            groups.setdefault((owner, met[variable.path]), []).append(i)
            met[variable.path] += 1
    return list(groups.values())


@keras.saving.register_keras_serializable(package="tf_mwn")
class LearnedWeightDecay(LearnedUpdate):
    """Minimises T + Σ_k λ_k/2 |w_k|² with the λ_k learned on the meta set, one for each layer.

    With λ_k = start · exp(Θ_k), the training gradient of a layer's kernels is
    g_k = ∂T/∂w_k + λ_k w_k. At the virtual weights ŵ = w - α g, whose meta gradient is u,

        ∂L_meta/∂Θ_k = -α λ_k <w_k, u_k>

    is exact: a decay grows where shrinking the layer lowers the meta loss. The same ∂T/∂w serves
    the virtual and the actual step.

    The optimizer's own weight decay and the classifier's regularisers stay, and add to λ: they
    are a floor under it. Give an optimizer without any, to leave all of it to the meta set.

    Args:
        classifier: built Keras model that returns logits [B, C].
        weight_decay_start: λ of every layer at the start, above 0. λ stays within a thousandth
            and a thousand times that.
        meta_interval: a positive integer; λ is updated at steps 0, k, 2k, ...

    Raises:
        ValueError: no trainable variable of `classifier` has two axes or more.

    References:
        Luketina, Berglund, Greff and Raiko, Scalable Gradient-Based Tuning of Continuous
        Regularization Hyperparameters, ICML 2016, https://arxiv.org/abs/1511.06727.
    """

    def __init__(
        self,
        classifier: keras.Model,
        weight_decay_start: float = 5e-4,
        meta_interval: int = engine_options.META_INTERVAL.default,
        **kwargs,
    ):
        groups = kernels_by_layer(classifier)
        if not groups:
            raise ValueError(
                "classifier: expected a trainable variable of two axes or more, whose decay could "
                "be learned, received none"
            )
        names = [f"weight_decay_{k + 1}" for k in range(len(groups))]
        start = POSITIVE.check("weight_decay_start", weight_decay_start)
        learned = LearnedFactors(names, start, name="weight_decays")
        super().__init__(classifier, learned, meta_interval=meta_interval, **kwargs)
        self._groups = groups

    def theta_gradient(self, linear, gradient, element):
        gradient = all_reduce_sum(self._decayed(linear, gradient))
        virtual = self._step_virtually(linear, gradient)
        # A share of u, because the meta optimizer adds up what it is given.
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

    def apply_gradient(self, linear, gradient):
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

    def constructor_arguments(self):
        return {**super().constructor_arguments(), "weight_decay_start": self.meta_learner.start}
