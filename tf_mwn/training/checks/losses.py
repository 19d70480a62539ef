"""What a loss takes, found by trying it before training: logits, and which labels."""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.losses.per_example import OutputLoss
from tf_mwn.losses.trial import is_per_example, same
from tf_mwn.tensors import Tensor

# What the labels of an output stand for.
CLASSES, COLUMNS, NUMBERS = "classes", "columns", "numbers"

Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


@dataclasses.dataclass(frozen=True)
class LabelRange:
    """The labels that a loss takes.

    Attributes:
        low, high: least and largest value; None where there is no bound.
        sums_to_one: whether the labels are distributions over the classes.
        kind: CLASSES of one example or of each position, COLUMNS of labels that do not exclude each
            other, or NUMBERS of a regression.
        numbered: whether they are the numbers of two classes or more.
    """

    low: float | None = None
    high: float | None = None
    sums_to_one: bool = False
    kind: str = dataclasses.field(default=CLASSES, compare=False)
    numbered: bool = dataclasses.field(default=False, compare=False)


def check_loss(loss: OutputLoss, labels: tf.TensorSpec, classes: int) -> LabelRange:
    """Tries the loss on one, two and three examples, on sure, undecided and shifted logits.

    Args:
        loss: of `per_example_loss`; its rows (labels, logits [B, C]) -> [B] are tried.
        labels: of a batch; [B], or [B, C] or [B, 1].
        classes: C.

    Returns:
        The labels that it takes.

    Raises:
        ValueError: it gives no value for each example, mixes up examples, or takes
            probabilities in place of logits.
    """
    if loss.splits(tf.zeros([1, *labels.shape[1:]], labels.dtype), tf.zeros([1, classes])):
        one = tf.TensorSpec([None], labels.dtype)
        found = _of_one_logit(_Trial(loss.of_rows, one, 1))
        return dataclasses.replace(found, kind=NUMBERS if found.high is None else COLUMNS)
    of_rows = loss.of_rows
    _check_shapes(of_rows, labels, classes)
    numbers = np.array([0, 1, 1]) if classes == 1 else np.array([0, classes - 1, classes - 1])
    logits = np.random.default_rng(0).normal(scale=2, size=(3, classes))
    if not is_per_example(of_rows, _labels(numbers, labels, classes), _tensor(logits)):
        raise ValueError(
            "loss: expected a value for each example that depends only on its label and logits, "
            f"received one that mixes up examples, from labels {_shape(3, labels, classes)} and "
            f"logits [3, {classes}]; bring labels and logits to one shape in it"
        )
    trial = _Trial(of_rows, labels, classes)
    return _of_one_logit(trial) if classes == 1 else _of_classes(trial, logits, numbers)


def _check_shapes(loss: Loss, labels: tf.TensorSpec, classes: int) -> None:
    example, reason = _labels(np.zeros(2, int), labels, classes), None
    try:
        shape = tf.convert_to_tensor(loss(example, _tensor(np.zeros([2, classes])))).shape
        if shape != [2]:
            reason = f"one that gives {'one number' if not shape.rank else shape}"
    except (ValueError, TypeError, tf.errors.OpError) as error:
        reason = f"one that fails on them ({' '.join(str(error).split())})"
    if reason:
        raise ValueError(
            f"loss: expected one value for each example, from labels {list(example.shape)} and "
            f"logits [2, {classes}], received {reason}"
        )


def _of_classes(trial: "_Trial", logits: np.ndarray, numbers: np.ndarray) -> LabelRange:
    """Softmax losses do not change if a constant is added to all logits; others must be ordered."""
    one_hot = trial.labels.shape.rank == 2
    high = 1 if one_hot else trial.classes - 1
    values = trial(numbers, logits)
    if not np.isfinite(values).all():
        trial.refuse("gives NaN or infinity for negative logits, so that it takes probabilities")
    sure = 2 * np.eye(trial.classes)[numbers] - 1
    if not (trial(numbers, 5 * sure) < trial(numbers, -5 * sure)).all():
        trial.refuse("is no smaller where the logit of the label is the largest")
    if same(values, trial(numbers, logits + 3)):
        return LabelRange(0, high, sums_to_one=one_hot)
    if not trial.is_ordered(numbers, sure):
        trial.refuse(
            "neither stays the same when a constant is added to all logits nor falls as the "
            "logit of the label rises, so that it takes probabilities or other scores"
        )
    return LabelRange(0, high)


def _of_one_logit(trial: "_Trial") -> LabelRange:
    """Losses of two classes are ordered; a regression is not, and takes any label."""
    column = np.ones([3, 1])
    values = trial(np.ones(3), 5 * column - 5 * np.array([[0], [1], [2]]))
    if not np.isfinite(values).all():
        trial.refuse("gives NaN or infinity for negative outputs, so that it takes probabilities")
    steps = np.array([[1.1], [2.0], [3.0]])
    for label, outputs in ((1, 1 - steps), (0, steps)):
        values = trial(np.full(3, label), outputs)
        if np.isfinite(values).all() and np.ptp(values) < 1e-6:
            side = "below 0" if label else "above 1"
            trial.refuse(f"does not depend on the output of an example of label {label} {side}")
    numbers = np.array([0, 1, 1])
    if not trial.is_ordered(numbers, 2 * numbers[:, np.newaxis] - 1):
        return LabelRange(kind=NUMBERS)
    mirrored = same(trial(np.full(3, -1), steps), trial(np.ones(3), -steps))
    return LabelRange(-1 if mirrored else 0, 1)


@dataclasses.dataclass(frozen=True)
class _Trial:
    """A loss as a function of class numbers [3] and logits [3, C] in NumPy."""

    loss: Loss
    labels: tf.TensorSpec
    classes: int

    def __call__(self, numbers: np.ndarray, logits: np.ndarray) -> np.ndarray:
        labels = _labels(numbers, self.labels, self.classes)
        return np.asarray(self.loss(labels, _tensor(logits)), np.float64)

    def is_ordered(self, numbers: np.ndarray, sure: np.ndarray) -> bool:
        """Whether the loss is least for sure logits, and largest for surely wrong ones."""
        undecided = self(numbers, 0 * sure)
        for size in (1, 5):
            right, wrong = self(numbers, size * sure), self(numbers, -size * sure)
            if not (right.min() >= -1.5 and (right < undecided).all()):
                return False
            if not (undecided < wrong).all():
                return False
        return True

    def refuse(self, reason: str) -> None:
        raise ValueError(
            "loss: expected a loss on logits, such as "
            f"keras.losses.SparseCategoricalCrossentropy(from_logits=True), received one that "
            f"{reason}"
        )


def _labels(numbers: np.ndarray, labels: tf.TensorSpec, classes: int) -> Tensor:
    """Class numbers [N] as labels like those of the data."""
    if labels.shape.rank == 2 and classes > 1:
        return tf.one_hot(numbers, classes, dtype=labels.dtype)
    return tf.cast(numbers.reshape(_shape(len(numbers), labels, classes)), labels.dtype)


def _shape(size: int, labels: tf.TensorSpec, classes: int) -> list[int]:
    return [size] if labels.shape.rank == 1 else [size, classes]


def _tensor(logits: np.ndarray) -> Tensor:
    return tf.constant(logits, keras.config.floatx())
