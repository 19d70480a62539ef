"""Whether learned weights find wrong labels, although nobody knows which labels are wrong."""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.checks import check_labels, check_together
from tf_mwn.data.seeds import generator
from tf_mwn.data.streams.pipeline import evaluation_dataset
from tf_mwn.label_noise.measures import weight_measures
from tf_mwn.label_noise.planted import auc_and_error, given_up, planted_weights
from tf_mwn.messages import logger
from tf_mwn.training.robust_model import RobustModel
from tf_mwn.training.whole_sets import logits_of

# The verdict of a model that does not use its weights, because they have not passed its own test.
OFF = "off"
# What a verdict means, and what to do.
ADVICE = {
    "constant": (
        "V is constant: it gives right and wrong labels the same weight, so the method has no "
        "effect. The meta gradient is too small against the weight decay of V. Try "
        "--meta_fraction=0.25, --virtual_step=preconditioned with --optimizer=adam, or "
        "--method=robust"
    ),
    "saturated": (
        "V has saturated: all weights are 0, or all are 1, and V cannot learn any more. Try "
        "--weight_normalization=sum with --meta_weight_decay=1e-3, --optimizer=sgd, or "
        "--method=robust"
    ),
    "inverted": (
        "V prefers wrong labels: clean examples weigh more with a planted wrong label than with "
        "their own. If all labels are right and classes are unbalanced, V should do so. If labels "
        "are wrong as well, try --logit_adjustment=1 (rare classes have large losses too), "
        "--meta_fraction=0.25 (if the classifier is weak), or --method=robust"
    ),
    "given_up": (
        "V has given up a class: clean examples of it, with their right labels, weigh less than a "
        "quarter of those of the mean class, so the classifier hardly learns it. Rare classes have "
        "large losses, as wrong labels have. Try --logit_adjustment=1; if your labels are right, "
        "--method=logit_adjusted"
    ),
}
ADVICE[OFF] = (
    "V did not find the errors that were planted before the last epoch, so all weights are equal "
    "in the end. More clean examples make this test more certain, and a better classifier makes V "
    "better"
)


def advice(verdict: str, given_up_classes: Iterable[Any] = ()) -> str:
    """What the verdict means and what to do, with the classes that V has given up."""
    names = ", ".join(map(str, given_up_classes))
    return f"{ADVICE[verdict]}. Given up: {names}" if names else ADVICE[verdict]


# Standard errors that an inverted V is below 0.5. At the end of a run its verdict stands after one
# look, which at one error would blame one V in six that does not tell right from wrong. Epochs in a
# row do not replace the second error: their planted errors are the same.
_ERRORS = 2
# V of a moment says little: it swings in the first epochs.
_PATIENCE = 3


@dataclasses.dataclass(frozen=True)
class Checkup:
    """What planted errors say about the weights of a model.

    Attributes:
        planted_auc: AUC of low weight for planted errors; None if they could not be asked. While a
            model does not use its learned weights, it is theirs.
        planted_auc_error: its standard error.
        planted_examples: number of clean examples that were asked.
        given_up_classes: names of the classes that a learned V has given up, see `given_up`, or
            their numbers if they have no names; None as `planted_auc`.
        weight_verdict: a key of `ADVICE`; None if nothing is wrong, or V learns nothing or not yet.
    """

    planted_auc: float | None = None
    planted_auc_error: float | None = None
    planted_examples: int | None = None
    given_up_classes: list[Any] | None = None
    weight_verdict: str | None = None

    def logs(self) -> dict[str, float]:
        """The measures of an epoch, as far as they are known."""
        values = {name: getattr(self, name) for name in ("planted_auc", "planted_auc_error")}
        return {name: value for name, value in values.items() if value is not None}


def examine(
    model: RobustModel,
    clean: tuple[np.ndarray, np.ndarray] | None,
    train: tuple[np.ndarray, np.ndarray] | None,
    weights: np.ndarray | None,
    seed: int = 0,
    class_names: Sequence[str] | None = None,
) -> Checkup:
    """Asks for the weights of clean examples with their own label, and with a wrong one.

    Args:
        model: the model, whose state does not change.
        clean: logits [M, C] and labels ([M], or one-hot [M, C]) of clean examples that the
            classifier has never been trained on, or None.
        train: logits [N, C] and given labels of training examples, or None; see
            `observed_confusions`.
        weights: [N] weights of the training examples. From them the verdict is made if no errors
            can be planted, and whether a class of few clean examples is given up.
        seed: of the wrong labels, which are the same in every epoch as long as the confusions are.
        class_names: [C] names, or None for numbers.
    """
    found: dict[str, Any] = {}
    asked = weights
    pair = None if clean is None else _planted_weights(model, clean, train, seed)
    if pair is not None:
        auc, error = auc_and_error(*pair)
        found = {"planted_auc": auc, "planted_auc_error": error, "planted_examples": len(pair[0])}
        asked = np.concatenate(pair)
    if not model.trusts_weights:
        return Checkup(**found, weight_verdict=OFF)
    if asked is None or not _has_learned(model):
        return Checkup(**found)
    if clean is not None and pair is not None:
        weighed = None if train is None or weights is None else (weights, train[1])
        lost = np.flatnonzero(given_up(pair[0], clean, weighed)).tolist()
        found["given_up_classes"] = [class_names[c] for c in lost] if class_names else lost
    return Checkup(**found, weight_verdict=_verdict(asked, **found))


def _planted_weights(
    model: keras.Model, clean: Any, train: Any, seed: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """Weights [M] with the own and with a wrong label; None if the method gives no such weights."""
    if model.training_objective.keeps_history:
        return None  # of these examples there is none
    if not model.has_classes(clean[1], clean[0]):
        return None  # no label is another class
    rng = generator(seed, "planted errors")
    weights_of = functools.partial(_weights, model, model.learned_weights_at)
    return planted_weights(weights_of, clean, train, rng)


def _weights(
    model: RobustModel,
    weights_at: Callable[..., tf.Tensor | None],
    labels: np.ndarray,
    logits: np.ndarray,
) -> np.ndarray | None:
    weights = weights_at(tf.constant(labels), model.adjusted(tf.constant(logits)), None)
    return None if weights is None else keras.ops.convert_to_numpy(weights)


def _has_learned(model: RobustModel) -> bool:
    """Whether the weights come from variables that have learned, if they learn at all."""
    optimizer = getattr(model, "meta_optimizer", None)
    begun = optimizer is None or optimizer.iterations.numpy() > 0
    return bool(begun and model.training_objective.trainable_variables)


def _verdict(
    weights: np.ndarray,
    planted_auc: float | None = None,
    planted_auc_error: float = 0.0,
    given_up_classes: list[Any] | None = None,
    **_: Any,
) -> str | None:
    mean = weights.mean(dtype=np.float64)
    if weights.std(dtype=np.float64) <= 0.01 * mean:  # an effective fraction above 0.9999
        return "constant" if 0.02 <= mean <= 0.98 else "saturated"
    if planted_auc is not None and planted_auc + _ERRORS * planted_auc_error < 0.5:
        return "inverted"
    return "given_up" if given_up_classes else None


class HealthWarning:
    """Warns once of a verdict that has held for some epochs in a row."""

    def __init__(self) -> None:
        self._verdict: str | None = None
        self._epochs, self._warned = 0, False

    def __call__(self, model: RobustModel, epoch: int, found: Checkup) -> None:
        """Called at the end of every epoch, the first of which is 0."""
        verdict = found.weight_verdict
        self._epochs = self._epochs + 1 if verdict == self._verdict else 1
        self._verdict = verdict
        if verdict not in (None, OFF) and self._epochs >= _PATIENCE and not self._warned:
            self._warned = True
            text = advice(verdict, found.given_up_classes or ())
            logger.warning("%s, epoch %d: %s", type(model).__name__, epoch + 1, text)


class Health(keras.callbacks.Callback):
    """Measures after every epoch whether low weights find wrong labels, without knowing these.

    Clean examples are asked for their weight with their own label, and with a wrong one that is
    drawn by the confusions between classes. The logs get

    - `planted_auc`, the AUC of low weight for the planted errors: 1 if every wrong label weighs
      less than every right one, 0.5 if the weights do not tell them apart, below 0.5 if they
      prefer wrong labels (while `Robust` does not use V, of the weights that V gives); and
      `planted_auc_error`, its standard error;
    - of the training examples, if they are given: `mean_weight_all`, `weight_spread` (95th minus
      5th percentile of the weights) and `effective_fraction` ((Σv)² / (N Σv²)).

    If learned weights are constant, saturated, or prefer wrong labels for three epochs in a row,
    the logger "tf_mwn" warns once, and says what to do. Methods without weights, and those whose
    weights depend on the history of each example, get no measures.

    Args:
        x_clean, y_clean: clean examples that the classifier itself is never trained on, such as the
            meta set of Meta-Weight-Net. Examples that it has learned by heart would always look
            healthy.
        x, y: training examples with their given labels; a few thousand are enough. The wrong
            labels follow the noise that is estimated from them. Without them they follow the
            classifier's own confusions on the clean examples.
        preprocess: function of a batch of inputs, as in training.
        batch_size: examples per call of the classifier.
        seed: of the wrong labels.

    Attributes:
        checkup: the `Checkup` of the last epoch; None before the first.

    Raises:
        TypeError, ValueError: arrays that cannot be evaluated, or a model of another package.

    Examples:
        >>> model = tf_mwn.MetaWeightNet(classifier)
        >>> model.compile("sgd")
        >>> health = tf_mwn.Health(x_meta, y_meta, x, y)
        >>> history = model.fit(pairs, epochs=2, callbacks=[health], verbose=0)
        >>> len(history.history["planted_auc"])
        2
        >>> health.checkup.planted_examples
        20

    See Also:
        - `audit`: which labels are wrong, after the training.
        - `Robust`: uses its weights only while they find planted errors.
    """

    def __init__(
        self,
        x_clean: Any,
        y_clean: Any,
        x: Any = None,
        y: Any = None,
        *,
        preprocess: Callable[[tf.Tensor], tf.Tensor] | None = None,
        batch_size: int = 500,
        seed: int = 0,
    ) -> None:
        super().__init__()
        check_together(x=x, y=y)
        self._clean = evaluation_dataset(x_clean, y_clean, batch_size, preprocess)
        self._train = None if x is None else evaluation_dataset(x, y, batch_size, preprocess)
        self._seed, self._warn, self._logits = seed, HealthWarning(), None
        self.checkup: Checkup | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        if not isinstance(self.model, RobustModel):
            raise TypeError(
                f"model: expected a model of tf_mwn, received {type(self.model).__name__}"
            )
        classifier = self.model.predicting_classifier
        self._logits = tf.function(lambda x: classifier(x, training=False), reduce_retracing=True)
        for name, part in (("y_clean", self._clean), ("y", self._train)):
            if part is not None:  # mistakes show before training
                self._evaluated(name, part)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        clean = self._evaluated("y_clean", self._clean)
        train, weights = None, None
        if self._train is not None:
            train = self._evaluated("y", self._train)
            if not self.model.training_objective.keeps_history:
                weights = _weights(self.model, self.model.weights_at, train[1], train[0])
        self.checkup = examine(self.model, clean, train, weights, self._seed)
        logs.update(self.checkup.logs())
        if weights is not None:
            logs.update(weight_measures(weights, None))
        self._warn(self.model, epoch, self.checkup)

    def _evaluated(self, name: str, dataset: tf.data.Dataset) -> tuple[np.ndarray, np.ndarray]:
        logits, labels, _ = logits_of(self._logits, dataset)
        if labels.ndim == 1 and labels.dtype.kind != "f" and logits.ndim == 2:
            check_labels(name, labels, logits.shape[1])
        return logits, labels
