"""Learning to re-weight examples: weights from one meta gradient, without a weight net."""

import dataclasses
from typing import Any

import keras
import tensorflow as tf

from tf_mwn.engine import options as engine_options
from tf_mwn.engine.linearise import Linearisation
from tf_mwn.engine.meta_loss import meta_loss_gradient
from tf_mwn.engine.objective import (
    SEES_LOSSES,
    TrainingBatch,
    TrainingObjective,
    logits_gradient,
)
from tf_mwn.engine.optimizers import loss_scale
from tf_mwn.engine.replicas import all_reduce_sum
from tf_mwn.tensors import Element, Logits, Logs, Tensor
from tf_mwn.training.classifiers import VirtualVariables, select_variables
from tf_mwn.training.elements import unpacked
from tf_mwn.training.example_memory import ExampleMemory
from tf_mwn.training.robust_model import RobustModel


@keras.saving.register_keras_serializable(package="tf_mwn")
class LastWeights(TrainingObjective):
    """(1/n) Σ v_i l_i, where v_i is the weight of example i at its last visit.

    Args:
        num_sample_ids: see `ExampleMemory`.
    """

    takes_sample_weight = True
    sees = SEES_LOSSES

    def __init__(self, num_sample_ids: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._memory = ExampleMemory(self, num_sample_ids)
        # 1, as in plain training, before the first visit.
        self._last = self._memory.add("last_weights", 1.0)

    def keep(self, weights: tf.Tensor, batch: TrainingBatch) -> None:
        """Remembers the weights [B] of the batch's examples."""
        last = tf.convert_to_tensor(self._last)
        values, seen = self._memory.spread(tf.cast(weights, last.dtype), batch)
        self._last.assign(tf.where(seen > 0, values, last))

    def objective(self, logits: Logits, batch: TrainingBatch) -> tuple[Tensor, Tensor | None]:
        losses = batch.losses(logits)
        weights = tf.cast(self._memory.of(self._last, batch), losses.dtype)
        return batch.mean(weights * losses), weights

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_sample_ids": self._memory.size}


@keras.saving.register_keras_serializable(package="tf_mwn")
class L2RW(RobustModel):
    """Weighs each example by the agreement of its gradient with that of the clean meta set.

    The virtual step has weights ε = 0, so ŵ = w and -∂L_meta/∂ε_i ∝ s_i = <∇l_i(w), ∇L_meta(w)>.
    All s_i are one directional derivative of the training losses, which takes one more reverse
    pass and no further forward pass. An inner learning rate would cancel, so there is none. The
    actual step minimises Σ w_i l_i with w_i = max(s_i, 0) / Σ_k max(s_k, 0) over the global batch.
    If no gradient agrees, all w_i are 0 and the step has only momentum and weight decay.

    The logged and remembered weights are v_i = n w_i; in plain training they are 1.
    `sample_weight` returns the v of an example's last visit. It depends on the batches of that
    step, and is 1 before the first visit.

    Args:
        classifier: built Keras model that returns logits [B, C].
        num_sample_ids: one more than the largest `sample_id`.
        virtual_variables: the variables in which gradients are compared: "all" (the paper),
            "last_block", "head" (the last layer with weights, cheaper) or a function of a
            variable.

    Examples:
        >>> model = tf_mwn.L2RW(classifier, num_sample_ids=len(x))
        >>> model.compile("sgd")
        >>> history = model.fit(pairs, verbose=0)
        >>> model.sample_weight(y, classifier(x), np.arange(len(x))).shape
        TensorShape([100])

    See Also:
        `MetaWeightNet`: weights that are a function of the loss.

    References:
        Ren, Zeng, Yang and Urtasun, Learning to Reweight Examples for Robust Deep Learning,
        ICML 2018, algorithm 1, https://arxiv.org/abs/1803.09050.
    """

    needs_meta_set = True
    differentiates_twice = True

    def __init__(
        self,
        classifier: keras.Model,
        num_sample_ids: int,
        virtual_variables: VirtualVariables = engine_options.VIRTUAL_VARIABLES.default,
        **kwargs: Any,
    ) -> None:
        super().__init__(classifier, LastWeights(num_sample_ids), **kwargs)
        self._num_sample_ids = num_sample_ids
        self.virtual_variables = virtual_variables
        self.choose_variables()
        self.meta_loss_metric = keras.metrics.Mean(name="meta_loss")

    def choose_variables(self) -> None:
        chosen = select_variables(self.classifier, self.virtual_variables)
        self.virtual_selection = tuple(chosen)

    @property
    def training_metrics(self) -> list[keras.metrics.Metric]:
        return [*super().training_metrics, self.meta_loss_metric]

    def train_step(self, data: Any) -> Logs:
        element, labels = unpacked(data, self.needs_meta_set)
        counts = element.get("sample_weight")
        batch = self.training_batch(labels, element["sample_id"], counts)
        linear = self.linearise(element["inputs"])
        _, rows = self.seen(linear.logits, batch)
        weights = rectified(self.similarities(linear, batch, element), rows)
        known = weights
        if loss_scale(self.optimizer) is not None:
            # The optimizer skips a step that overflows float16; the memory skips it as well.
            known = tf.where(tf.math.is_finite(weights), weights, tf.zeros_like(weights))
        self.training_objective.keep(known, rows)

        def weighted(z: Logits) -> tuple[Tensor, Any]:
            z, rows = self.seen(z, batch)
            return rows.mean(weights * rows.losses(z)), None

        cotangent, _ = logits_gradient(weighted, linear.logits)
        self.actual_step(linear, cotangent)
        logits = linear.unadjusted_logits
        return self.update_metrics(element, labels, logits, counts, known)

    def similarities(
        self, linear: Linearisation, batch: TrainingBatch, element: Element
    ) -> tf.Tensor:
        """s [N]: the derivative of each training loss along u = ∇L_meta(w)."""
        direction = all_reduce_sum(self._meta_loss_gradient(linear, element))
        slopes, _ = logits_gradient(lambda z: (tf.reduce_sum(batch.losses(z)), None), linear.logits)
        _, pushforward = linear.pullback_and_pushforward(slopes, self.virtual_selection)
        tangent = pushforward(direction, loss_scale(self.optimizer))
        products = tf.stop_gradient(slopes * tangent)
        outputs = self.per_example_loss.outputs(batch.labels, linear.logits)
        if outputs is not None and self.per_example_loss.weight_per == "output":
            outputs = dataclasses.replace(outputs, logits=products)
            return tf.reduce_sum(outputs.row_logits, axis=-1)
        products = tf.reduce_sum(products, axis=range(1, products.shape.rank))
        return products if outputs is None else outputs.examples(products)

    def _meta_loss_gradient(self, linear: Linearisation, element: Element) -> list[tf.Tensor]:
        """u in the compared variables (this replica's share)."""
        gradient, losses = meta_loss_gradient(
            self.classifier,
            linear,
            self.virtual_selection,
            [linear.weights[i] for i in self.virtual_selection],
            element["meta_inputs"],
            lambda logits: self.per_example_loss(element["meta_labels"], logits),
            loss_scale(self.optimizer),
        )
        self.meta_loss_metric.update_state(losses)
        return gradient

    def constructor_arguments(self) -> dict[str, Any]:
        return {"num_sample_ids": self._num_sample_ids, "virtual_variables": self.virtual_variables}


def rectified(similarities: tf.Tensor, batch: TrainingBatch) -> tf.Tensor:
    """v = n max(s, 0) / Σ max(s, 0) over the global batch; 0 where no s [B] is positive.

    In the sum an example counts as often as its `sample_weight` says.
    """
    raw = tf.nn.relu(similarities)
    sums = tf.reduce_sum(batch.counted(raw)), tf.cast(tf.size(raw), raw.dtype)
    total, size = all_reduce_sum(sums)
    return size * raw / tf.where(total > 0, total, tf.ones_like(total))
