"""CMW-Net: sample weights by loss and class size, learned without a clean meta set."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.engine import options as engine_options
from tf_mwn.engine.keras_internals import step_counter
from tf_mwn.engine.linearise import Linearisation
from tf_mwn.engine.meta_schedule import warm_up_lengths
from tf_mwn.engine.objective import TrainingBatch
from tf_mwn.methods.meta_weight_net import specs as meta_weight_net_specs
from tf_mwn.methods.reweighting import specs
from tf_mwn.methods.reweighting.class_aware_net import ClassAwareNet
from tf_mwn.methods.reweighting.moving_average import MovingAverage
from tf_mwn.methods.reweighting.rebuilt_meta_set import RebuiltMetaSet
from tf_mwn.tensors import Element, Logits, Tensor
from tf_mwn.training import options as training_options
from tf_mwn.training.classifiers import VirtualVariables
from tf_mwn.training.meta_learned import MetaLearnedModel
from tf_mwn.training.phases import Phases
from tf_mwn.training.whole_sets import logits_of

_LOW_LOSS_EXAMPLES = 10  # of each class, in the paper


@keras.saving.register_keras_serializable(package="tf_mwn")
class CMWNet(MetaLearnedModel):
    """Trains with sample weights V(l, N_y; Θ) learned on a part of the training set itself.

    Training starts with a warm-up on plain cross-entropy. Afterwards a new meta set is chosen from
    `whole_sets.train` before every epoch, by given labels and without augmentation. "low_loss",
    for noisy labels, takes the examples of each class with the lowest loss under a moving average
    of the classifier. "balanced", for imbalance, takes equally many random examples of each class.
    "given" takes the clean meta set of the training elements instead, like Meta-Weight-Net.

    Args:
        classifier: built Keras model that returns logits [B, C]. It has one input array, unless
            the meta set is given.
        class_counts: [C] training examples per given class.
        epochs: of the training, including the warm-up.
        seed: of the meta batches and the "balanced" sets.
        weight_net_units: hidden layer sizes of V; (100,) is the paper's.
        weight_normalization: "none" (the paper: mean of v l), "sum" or "sum_detached" (the
            authors' code); see `WeightNet`.
        cmw_clusters: number of groups of classes, see `ClassAwareNet`.
        cmw_meta_set: "low_loss", "balanced" or "given".
        cmw_meta_per_class: examples of each class in a chosen meta set. None for 10 (low_loss) or
            the size of the smallest class (balanced), which is also the maximum.
        cmw_warmup: fraction of the epochs on plain cross-entropy. Above 0 the warm-up has at least
            one epoch, and at least one epoch follows. The authors' code takes 10 of 300 epochs on
            CIFAR-10.
        cmw_ema: momentum of the moving average of the classifier that finds low losses.
        meta_batch_size: for a chosen meta set. None for the size of the training batch, or of the
            meta set if that is smaller.
        virtual_variables, meta_interval, virtual_step, **kwargs: see `MetaLearnedModel`. The
            authors' code updates Θ every 10th step.

    Examples:
        >>> model = tf_mwn.CMWNet(classifier, np.bincount(y), epochs=2, cmw_clusters=1)
        >>> model.compile("sgd")
        >>> model.whole_sets = tf_mwn.WholeSets.from_arrays(x, y)
        >>> history = model.fit(tf_mwn.paired_dataset(x, y, None, None, 50), epochs=2, verbose=0)

    See Also:
        - `CMWNetSL`: gives doubtful examples another label, not a smaller weight.
        - `MetaWeightNet`: with a clean set.

    References:
        Shu, Yuan, Meng and Xu, CMW-Net: Learning a Class-Aware Sample Weighting Mapping for
        Robust Deep Learning, TPAMI 2023, https://arxiv.org/abs/2202.05613.
    """

    # The class of V, which is also the training objective.
    weight_net_class = ClassAwareNet
    # Whether the method needs the moving average beyond the choice of the meta set.
    needs_average = False

    def __init__(
        self,
        classifier: keras.Model,
        class_counts: Sequence[float],
        epochs: int,
        seed: int = 0,
        weight_net_units: Sequence[int] = meta_weight_net_specs.WEIGHT_NET_UNITS.default,
        weight_normalization: str = meta_weight_net_specs.WEIGHT_NORMALIZATION.default,
        cmw_clusters: int = specs.CMW_CLUSTERS.default,
        cmw_meta_set: str = specs.CMW_META_SET.default,
        cmw_meta_per_class: int | None = specs.CMW_META_PER_CLASS.default,
        cmw_warmup: float = specs.CMW_WARMUP.default,
        cmw_ema: float = specs.CMW_EMA.default,
        meta_batch_size: int | None = training_options.META_BATCH_SIZE.default,
        virtual_variables: VirtualVariables = engine_options.VIRTUAL_VARIABLES.default,
        meta_interval: int = engine_options.META_INTERVAL.default,
        virtual_step: str = engine_options.VIRTUAL_STEP.default,
        **kwargs: Any,
    ) -> None:
        net = self.weight_net_class(
            class_counts,
            units=weight_net_units,
            clusters=cmw_clusters,
            normalization=weight_normalization,
            name="weight_net",
        )
        specs.CMW_WARMUP.check(cmw_warmup)
        super().__init__(
            classifier,
            net,
            virtual_variables,
            meta_interval,
            virtual_step,
            meta_start=cmw_warmup,
            epochs=epochs,
            **kwargs,
        )
        specs.CMW_META_SET.check(cmw_meta_set)
        specs.CMW_META_PER_CLASS.check(cmw_meta_per_class)
        if cmw_meta_set == "given" and cmw_meta_per_class is not None:
            raise ValueError(
                "cmw_meta_per_class: expected None with cmw_meta_set='given', "
                f"received {cmw_meta_per_class}"
            )
        self._arguments = {
            "class_counts": [float(count) for count in class_counts],
            "epochs": epochs,
            "seed": seed,
            "weight_net_units": tuple(weight_net_units),
            "cmw_clusters": cmw_clusters,
            "cmw_meta_set": cmw_meta_set,
            "cmw_meta_per_class": cmw_meta_per_class,
            "cmw_warmup": cmw_warmup,
            "cmw_ema": specs.CMW_EMA.check(cmw_ema),
            "meta_batch_size": meta_batch_size,
        }
        if self.phases is None:
            self.phases = Phases(self, warm_up_lengths(epochs, 0.0))
        self.needs_meta_set = cmw_meta_set == "given"
        self.needs_whole_sets = not self.needs_meta_set
        averages = cmw_meta_set == "low_loss" or self.needs_average
        self.average = MovingAverage(self, classifier, cmw_ema) if averages else None
        self.rebuilt = self._new_meta_set() if self.needs_whole_sets else None

    def _new_meta_set(self) -> RebuiltMetaSet:
        given = self._arguments
        counts, per_class = given["class_counts"], given["cmw_meta_per_class"]
        if given["cmw_meta_set"] == "low_loss":
            per_class = per_class or _LOW_LOSS_EXAMPLES
        else:
            least = int(min(count for count in counts if count > 0))
            per_class = min(per_class or least, least)
        return RebuiltMetaSet(
            self, self.classifier, counts, per_class, given["meta_batch_size"], given["seed"]
        )

    @property
    def weight_net(self) -> ClassAwareNet:
        """V."""
        return self.meta_learner

    def begin_epoch(self) -> None:
        super().begin_epoch()
        if self.rebuilt is not None and not self.is_warming_up:
            self.rebuilt.rebuild(self.whole_sets.train, self._scores)

    def _scores(self, train: tf.data.Dataset) -> tuple[np.ndarray, np.ndarray]:
        """Labels of the whole set, and its losses under the average or random numbers."""
        if self._arguments["cmw_meta_set"] == "low_loss":
            logits, labels, _ = logits_of(self.average.compiled, train)
            return labels, self.per_example_loss(labels, logits).numpy()
        labels = np.concatenate([part.numpy() for _, part in train])
        rng = np.random.default_rng([self._arguments["seed"], self.phases.epochs_done])
        return labels, rng.random(len(labels))

    def learn_objective(
        self, linear: Linearisation, batch: TrainingBatch, element: Element
    ) -> tuple[Logits, Tensor | None] | None:
        if self.rebuilt is not None and not self.is_warming_up:
            element = {**element, **self.rebuilt.draw(batch.step, batch.labels, self._every)}
        return super().learn_objective(linear, batch, element)

    def actual_step(self, linear: Linearisation, cotangent: Tensor) -> None:
        step = tf.convert_to_tensor(step_counter(self.optimizer))
        super().actual_step(linear, cotangent)
        if self.average is not None:
            self.average.update(step)

    def step_arguments(self) -> dict[str, Any]:
        arguments = super().step_arguments()
        arguments.pop("meta_start", None)  # cmw_warmup
        return arguments

    def constructor_arguments(self) -> dict[str, Any]:
        normalization = {"weight_normalization": self.weight_net.normalization}
        return {**self.step_arguments(), **self._arguments, **normalization}
