"""The recommended method for data of unknown bias: Meta-Weight-Net with what keeps it right."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.checks import check_bool
from tf_mwn.data.streams.pairing import Pairing
from tf_mwn.engine.linearise import Linearisation
from tf_mwn.engine.objective import TrainingBatch
from tf_mwn.engine.optimizers import CoupledAdam
from tf_mwn.engine.replicas import state
from tf_mwn.label_noise.planted import auc_and_error, planted_weights
from tf_mwn.methods.meta_weight_net import specs
from tf_mwn.methods.meta_weight_net.meta_weight_net import MetaWeightNet
from tf_mwn.tensors import Element, Labels, Logits, Tensor
from tf_mwn.training import options as training_options
from tf_mwn.training.fine_tuning import FineTuned
from tf_mwn.training.whole_sets import WholeSets, logits_of

_CLEAN_BATCH = 500  # examples per call of the classifier
_HELD_BACK_SEED = 0  # of every `fit`, so that the same examples stay held back


@keras.saving.register_keras_serializable(package="tf_mwn")
class Robust(MetaWeightNet):
    """Trains `classifier` where nothing is known of the bias of the data but a small clean set.

    It is Meta-Weight-Net with five parts, each of which can be switched off:

    1. The training objective and V see logits that are corrected by the class shares of the given
       labels. Otherwise rare classes and wrong labels both have large losses, and V cannot tell
       them apart.
    2. V learns from a part of each batch, at some of the steps, and relative to the other weights
       (`weight_normalization="sum"`).
    3. Under an adaptive optimizer the virtual step is preconditioned.
    4. V weighs only while planted errors show it to be right: before each epoch the clean examples
       are asked with their own and with a wrong label, and V is not used unless low weights find
       the wrong ones better than chance. Until then, and whenever V fails, all weights are equal;
       V goes on learning.
    5. A last phase trains the classifier on the clean set, and is kept as far as it helps on clean
       examples that are held back from it.

    Parts 1 and 4 need labels of classes: for other tasks (docs/tasks.md) they are off, and V
    weighs in all epochs.

    The class shares, and the clean examples of the last phase, come from the data that `fit` is
    given: arrays, or the data set that `paired_dataset` returns, before any `.map`. An example
    counts in a class share as often as its `sample_weight` says. Examples that a last phase
    trained on are not asked in part 4.

    Args:
        classifier: built Keras model that returns logits [B, C].
        logit_adjustment: τ of part 1; 0 switches it off.
        meta_fraction, meta_interval: of part 2; 1 and 1 for every example of every step.
        tests_weights: whether part 4 is on.
        fine_tuning_epochs: of part 5; 0 switches it off.
        fine_tuning_rate, held_back: see `RobustModel.fine_tune`.
        weight_net_units: hidden layer sizes of V.
        weight_normalization: see `MetaWeightNet`.
        **kwargs: of `MetaWeightNet`.

    Raises:
        TypeError, ValueError: an argument outside its range, or a classifier that
            `check_classifier` refuses.

    Attributes:
        fine_tuned: what the last phase of the last `fit` did, or None.

    Examples:
        >>> model = tf_mwn.Robust(classifier)
        >>> model.compile(optimizer="adam", metrics=["accuracy"])
        >>> history = model.fit(x, y, x_meta=x_meta, y_meta=y_meta, batch_size=50, verbose=0)
        >>> classifier.predict(x, verbose=0).shape
        (100, 2)
        >>> found = tf_mwn.audit(model, x, y, x_meta, y_meta)

    See Also:
        - `MetaWeightNet`: the method as published.
        - `RobustClassifier`: the same as an estimator of scikit-learn.
        - `audit`: which labels are wrong. `Health`: whether the weights can be believed.
    """

    def __init__(
        self,
        classifier: keras.Model,
        logit_adjustment: float = specs.ROBUST_LOGIT_ADJUSTMENT,
        meta_fraction: float = specs.ROBUST_META_FRACTION.default,
        meta_interval: int = specs.ROBUST_META_INTERVAL.default,
        tests_weights: bool = True,
        fine_tuning_epochs: int = specs.ROBUST_FINE_TUNING_EPOCHS,
        fine_tuning_rate: float = training_options.FINE_TUNING_RATE.default,
        held_back: float = training_options.HELD_BACK.default,
        weight_net_units: Sequence[int] = specs.WEIGHT_NET_UNITS.default,
        weight_normalization: str = "sum",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            classifier,
            weight_net_units,
            weight_normalization,
            meta_fraction=meta_fraction,
            meta_interval=meta_interval,
            **kwargs,
        )
        self._parts = {
            "logit_adjustment": training_options.LOGIT_ADJUSTMENT.check(logit_adjustment),
            "tests_weights": check_bool("tests_weights", tests_weights),
            "fine_tuning_epochs": training_options.FINE_TUNING_EPOCHS.check(fine_tuning_epochs),
            "fine_tuning_rate": training_options.FINE_TUNING_RATE.check(fine_tuning_rate),
            "held_back": training_options.HELD_BACK.check(held_back),
        }
        self.fine_tuned: FineTuned | None = None
        self.needs_whole_sets = tests_weights
        # Whether V weighs in this epoch; a variable, so that a resumed run goes on alike.
        self._trust = state(self, "trust", dtype="int32") if tests_weights else None
        self._clean_logits = tf.function(
            lambda x: self.predicting_classifier(x, training=False), reduce_retracing=True
        )

    def compile(self, optimizer: Any = "sgd", meta_optimizer: Any = None, **kwargs: Any) -> None:
        """As `MetaWeightNet.compile`; the default meta optimizer is Adam with weight decay.

        The weight decay keeps the sigmoid of V from saturating.
        """
        if meta_optimizer is None:
            meta_optimizer = CoupledAdam(
                specs.ROBUST_META_LEARNING_RATE, coupled_weight_decay=specs.ROBUST_META_DECAY
            )
        super().compile(optimizer, meta_optimizer, **kwargs)

    def prepared(self, data: Any, pairing: Pairing | None) -> Any:
        """Takes class counts and clean examples; the data set with meta batches that suit.

        Raises:
            ValueError: a data set of which the class shares or the clean examples are not known.
        """
        lacks_counts = self._parts["logit_adjustment"] > 0 and self.logit_adjustment is None
        wanted = lacks_counts or self._parts["fine_tuning_epochs"]
        if pairing is not None:
            return self._with_facts(data, pairing)
        if wanted or (self.needs_whole_sets and self.whole_sets is None):
            raise ValueError(
                "fit: expected arrays, or the data set that tf_mwn.paired_dataset returns, as it "
                f"is, received {type(data).__name__}; give preprocessed arrays to paired_dataset, "
                "or switch off logit_adjustment, tests_weights and fine_tuning_epochs"
            )
        return data

    def finish(self, pairing: Pairing | None, verbose: Any) -> None:
        """The last phase."""
        if pairing is not None and self._parts["fine_tuning_epochs"]:
            self.fine_tuned = self._tune(pairing, verbose)

    @property
    def trusts_weights(self) -> bool:
        """Whether V weighs in the current epoch."""
        return self._trust is None or bool(self._trust.numpy())

    def begin_epoch(self) -> None:
        super().begin_epoch()
        if self._trust is not None:
            self._trust.assign(int(self._passes_test()))

    def _passes_test(self) -> bool:
        """Whether low weights find planted errors better than chance; False if none can be."""
        if self.whole_sets.meta is None:
            return False
        logits, labels, _ = logits_of(self._clean_logits, self.whole_sets.meta)
        if not self.has_classes(labels, logits):
            return True  # no error can be planted
        weights = planted_weights(self._weights_of_v, (logits, labels), None, rng=_same_draws())
        if weights is None:
            return False
        return auc_and_error(*weights)[0] > 0.5

    def _weights_of_v(self, labels: np.ndarray, logits: np.ndarray) -> np.ndarray:
        losses = self.training_loss(tf.constant(labels), tf.constant(logits))
        return keras.ops.convert_to_numpy(self.weight_net.curve(losses))

    def step_gradient(self, logits: Logits, batch: TrainingBatch) -> tuple[Logits, Tensor | None]:
        return self._if_trusted(super().step_gradient(logits, batch), logits, batch)

    def learn_objective(
        self, linear: Linearisation, batch: TrainingBatch, element: Element
    ) -> tuple[Logits, Tensor | None] | None:
        taken = super().learn_objective(linear, batch, element)
        return None if taken is None else self._if_trusted(taken, linear.logits, batch)

    def _if_trusted(
        self, weighted: tuple[Logits, Tensor | None], logits: Logits, batch: TrainingBatch
    ) -> tuple[Logits, Tensor | None]:
        """The gradient and the weights of a step, or those of plain training."""
        cotangent, weights = weighted
        if self._trust is None or weights is None:  # None: the weights have not begun
            return weighted
        plain = self.plain_gradient(logits, batch)
        trust = tf.convert_to_tensor(self._trust) > 0
        return tf.where(trust, cotangent, plain), tf.where(trust, weights, tf.ones_like(weights))

    def weights_at(self, labels: Labels, logits: Logits, sample_id: Tensor | None) -> Tensor | None:
        weights = self.learned_weights_at(labels, logits, sample_id)
        return weights if self.trusts_weights else tf.ones_like(weights)

    def learned_weights_at(
        self, labels: Labels, logits: Logits, sample_id: Tensor | None
    ) -> Tensor | None:
        return super().weights_at(labels, logits, sample_id)

    def _with_facts(self, dataset: tf.data.Dataset, pairing: Pairing) -> Any:
        if self._parts["logit_adjustment"] > 0:
            labels, logits = self._first(dataset)
            if self.has_classes(labels, logits):
                ignored = self.per_example_loss.ignore_class
                self._adjust_by(pairing.class_counts(max(logits.shape[-1], 2), ignored))
        if self.needs_whole_sets:
            self.whole_sets = WholeSets(dataset, self._test_set(pairing))
        if pairing.meta_batch_size is not None or pairing.meta[0] is None:
            return dataset
        examples = max(1, round(pairing.batch_size * self.meta_fraction))
        return pairing.make(min(examples, pairing.num_clean))

    def _adjust_by(self, counts: np.ndarray) -> None:
        known = self.logit_adjustment
        if known is None or known.class_counts != counts.tolist():
            shares = None if known is None else known.target_shares
            self._adjust_logits(self._parts["logit_adjustment"], counts, shares)
            self.train_function = None  # its trace has other logits

    def _first(self, dataset: tf.data.Dataset) -> tuple[Any, Any]:
        """Labels and logits of a batch, or what is known of their shapes."""
        labels, outputs = dataset.element_spec[1], getattr(self.classifier, "outputs", None)
        if outputs:
            return labels, outputs[0]
        return labels, self(next(iter(dataset.take(1)))[0])  # a subclassed model

    def _test_set(self, pairing: Pairing) -> tf.data.Dataset | None:
        """The clean examples that no last phase has trained on, or None."""
        x, y = pairing.clean_examples()
        rows = self.unseen(x)
        if not rows.any():
            return None
        x, y = tf.nest.map_structure(lambda part: part[rows], (x, y))
        return tf.data.Dataset.from_tensor_slices((x, y)).batch(_CLEAN_BATCH)

    def _tune(self, pairing: Pairing, verbose: Any) -> FineTuned:
        x, y = pairing.clean_examples()
        return self.fine_tune(
            x,
            y,
            self._parts["fine_tuning_epochs"],
            rate=self._parts["fine_tuning_rate"],
            held_back=self._parts["held_back"],
            seed=_HELD_BACK_SEED,
            verbose=verbose,
        )

    def constructor_arguments(self) -> dict[str, Any]:
        return {**super().constructor_arguments(), **self._parts}


def robust(
    classifier: keras.Model,
    robust_meta_fraction: float,
    robust_meta_interval: int,
    robust_tests_weights: bool,
    **kwargs: Any,
) -> Robust:
    """`Robust` for a run, which gives the class counts to `compile` and trains the last phase."""
    return Robust(
        classifier,
        meta_fraction=robust_meta_fraction,
        meta_interval=robust_meta_interval,
        tests_weights=robust_tests_weights,
        logit_adjustment=0.0,
        fine_tuning_epochs=0,
        **kwargs,
    )


def _same_draws() -> np.random.Generator:
    """The same wrong labels in every epoch, as long as the confusions are the same."""
    return np.random.default_rng(0x7E57)
