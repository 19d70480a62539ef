"""CMW-Net-SL: the prediction of an averaged classifier replaces labels of low weight."""

import dataclasses
from typing import Any

import keras
import tensorflow as tf

from tf_mwn.engine.objective import SEES_EXAMPLES, TrainingBatch
from tf_mwn.engine.replicas import global_mean
from tf_mwn.losses.cross_entropy import cross_entropy
from tf_mwn.methods.reweighting import specs
from tf_mwn.methods.reweighting.class_aware_net import ClassAwareNet
from tf_mwn.methods.reweighting.cmw_net import CMWNet
from tf_mwn.methods.reweighting.mixup import Mixup, blend
from tf_mwn.tensors import Element, Inputs, Labels, Logits, Logs, Losses, Tensor
from tf_mwn.training.elements import unpacked


@dataclasses.dataclass(frozen=True)
class Target:
    """The labels that the loss compares the logits with.

    Attributes:
        share: scalar, or [B] where the examples have weights of their own, which it includes; the
            shares of an example's targets add up to 1 without them.
        labels: given labels, [B] or [B, C].
        pseudo_labels: class probabilities of the averaged classifier, [B, C].
    """

    share: tf.Tensor | float
    labels: tf.Tensor
    pseudo_labels: tf.Tensor

    def part(self, rows: Any) -> "Target":
        """The target of some rows of the batch; see `TrainingBatch.part`."""
        share = rows(self.share) if keras.ops.ndim(self.share) else self.share
        return Target(share, rows(self.labels), rows(self.pseudo_labels))


@dataclasses.dataclass(frozen=True)
class SoftBatch(TrainingBatch):
    """A training batch with one target, or two if examples are blended."""

    targets: tuple[Target, ...] = ()

    def part(self, rows: Any) -> Any:
        targets = tuple(target.part(rows) for target in self.targets)
        return dataclasses.replace(super().part(rows), targets=targets)


@keras.saving.register_keras_serializable(package="tf_mwn")
class SoftLabelNet(ClassAwareNet):
    """T = (1/n) Σ_i Σ_t share_t [v l(y) + (1 - v) CE(z)], v = V(l(y), N_y; Θ).

    y is the label and z the pseudo label of target t. v is the weight of that label at its loss
    under the logits of the (blended) example. In a plain `TrainingBatch`, without targets, the
    objective is that of `ClassAwareNet`.
    """

    sees = SEES_EXAMPLES

    def objective(self, logits: Logits, batch: TrainingBatch) -> tuple[Tensor, Tensor | None]:
        if not isinstance(batch, SoftBatch):
            return super().objective(logits, batch)
        total, own_weights = 0.0, None
        for target in batch.targets:
            losses = batch.per_example_loss(target.labels, logits)
            weights = self.example_weights(losses, target.labels)
            mixed = soft_label_loss(weights, losses, cross_entropy(target.pseudo_labels, logits))
            total += tf.cast(target.share, losses.dtype) * mixed
            own_weights = weights if own_weights is None else own_weights
        return global_mean(total), own_weights


def soft_label_loss(weights: Tensor, given_losses: Losses, pseudo_losses: Losses) -> tf.Tensor:
    """v l(y) + (1 - v) CE(z), all [B]."""
    return weights * given_losses + (1 - weights) * pseudo_losses


@keras.saving.register_keras_serializable(package="tf_mwn")
class CMWNetSL(CMWNet):
    """CMW-Net whose weights decide between the given label and a pseudo label.

    The loss of an example is v CE(y) + (1 - v) CE(z). Here z is the prediction of a moving average
    of the classifier on the unblended example, and v = V(l, N_y; Θ) is learned as in `CMWNet`.
    Mixup blends training examples to λ x + (1 - λ) x', with one λ in each step, and their losses
    in the same shares. It leaves out the warm-up and the meta batches. The weights need no
    normalisation, because v + (1 - v) = 1.

    The logged "loss" and accuracy compare the blended examples with their own labels.

    Args:
        cmw_mixup: a of the distribution Beta(a, a) of λ; 4 in the authors' runs on
            feature-dependent noise. 0 blends nothing.
        **kwargs: as `CMWNet`, but without `weight_normalization`.

    Examples:
        >>> model = tf_mwn.CMWNetSL(classifier, np.bincount(y), epochs=2, cmw_clusters=1)
        >>> model.compile("sgd")
        >>> model.whole_sets = tf_mwn.WholeSets.from_arrays(x, y)
        >>> history = model.fit(tf_mwn.paired_dataset(x, y, None, None, 50), epochs=2, verbose=0)

    See Also:
        `CMWNet`: without pseudo labels.

    References:
        See `CMWNet`; this is the variant with soft labels.
    """

    weight_net_class = SoftLabelNet
    needs_average = True

    def __init__(
        self,
        classifier: keras.Model,
        class_counts: Any,
        epochs: int,
        seed: int = 0,
        cmw_mixup: float = specs.CMW_MIXUP.default,
        **kwargs: Any,
    ) -> None:
        super().__init__(classifier, class_counts, epochs, seed, **kwargs)
        self._arguments["cmw_mixup"] = specs.CMW_MIXUP.check(cmw_mixup)
        self._mixup = Mixup(cmw_mixup, seed) if cmw_mixup > 0 else None

    def constructor_arguments(self) -> dict[str, Any]:
        return {**self.step_arguments(), **self._arguments}

    def train_step(self, data: Any) -> Logs:
        if self.is_warming_up:
            return super().train_step(data)
        element, labels = unpacked(data, self.needs_meta_set)
        inputs, batch = self.soft_batch(element, labels)
        linear = self.linearise(inputs)
        taken = self.learn_objective(linear, batch, element)
        cotangent, weights = taken or self.logits_gradient(linear.logits, batch)
        self.actual_step(linear, cotangent)
        logits, counts = linear.unadjusted_logits, element.get("sample_weight")
        return self.update_metrics(element, labels, logits, counts, weights)

    def soft_batch(self, element: Element, labels: Labels) -> tuple[tf.Tensor, SoftBatch]:
        """The inputs of the step, blended by any mixup, and the batch with its targets."""
        inputs, counts = element["inputs"], element.get("sample_weight")
        plain = self.training_batch(labels, element["sample_id"], counts)
        pseudo = tf.nn.softmax(self.adjusted(self.average.logits(inputs)))
        counts = 1.0 if counts is None else tf.cast(counts, pseudo.dtype)
        targets = (Target(counts, labels, pseudo),)
        if self._mixup is not None:
            inputs, targets = self._blended(inputs, targets[0], plain.step)
        return inputs, SoftBatch(**vars(plain), targets=targets)

    def _blended(self, inputs: Inputs, own: Target, step: Any) -> Any:
        share = self._mixup.share(step, own.pseudo_labels.dtype)
        flat = tf.nest.flatten(inputs)
        values = [*flat, own.labels, own.pseudo_labels]
        weighs = not isinstance(own.share, float)
        *others, labels, pseudo = self._mixup.partners(step, values)
        counts = self._mixup.partners(step, [own.share])[0] if weighs else own.share
        blended = [blend(share, mine, other) for mine, other in zip(flat, others, strict=True)]
        targets = (
            dataclasses.replace(own, share=share * own.share),
            Target((1 - share) * counts, labels, pseudo),
        )
        return tf.nest.pack_sequence_as(inputs, blended), targets
