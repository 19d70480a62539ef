"""Training of a mentor, on a curriculum or on noisy data, before the classifier trains."""

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_mwn.engine.linearise import Linearisation
from tf_mwn.engine.objective import logits_gradient
from tf_mwn.engine.optimizers import apply_gradient, loss_scale
from tf_mwn.methods.mentornet.curriculum import curriculum
from tf_mwn.methods.mentornet.mentor_net import MentorNet, mentor_features
from tf_mwn.methods.rules.self_paced import quantile

_STEPS, _BATCH = 3000, 512
_PERCENTS = 100
# The percentiles that losses are compared with, as fractions.
_FRACTIONS = (0.4, 0.5, 0.6, 0.75, 0.8, 0.9)
# Losses and differences of the grid that a curriculum is learned on.
_LOSSES = np.concatenate([np.arange(100) / 10, np.arange(10, 30)])
_DIFFERENCES = np.arange(100) / 10 - 5

# Returns (features [N, 4], v* [N]) for a random key, int64 [2].
Sample = Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


def predefined_mentor(name: str, seed: int) -> list[np.ndarray]:
    """The variables of a mentor that has learned one of the curricula.

    The mentor learns on the authors' grid: losses 0, 0.1, ..., 9.9, 10, 11, ..., 29, differences
    -5, -4.9, ..., 4.9, and every percent. Here 3 000 steps on batches of 512 points from the whole
    grid minimise the cross-entropy. The authors keep 100 000 random points, and take 30 000 steps
    on batches of 32 by the squared error. Both losses have their minimum at v*, but the squared
    error does not leave a saturated sigmoid. With it a mentor could fail to learn "focal", and its
    error on "mixed" was four times as large.
    """
    return list(_predefined(name, seed, keras.config.floatx()))


@functools.lru_cache(maxsize=8)  # the same for every run of one seed
def _predefined(name: str, seed: int, dtype: str) -> tuple[np.ndarray, ...]:
    mentor = MentorNet(seed, dtype=dtype)
    losses, differences = tf.constant(_LOSSES, dtype), tf.constant(_DIFFERENCES, dtype)

    def sample(key):
        rows, columns, percent = (
            _draw(key + [0, i], size) for i, size in enumerate((len(losses), 100, _PERCENTS))
        )
        point = tf.gather(losses, rows), tf.gather(differences, columns), percent
        return mentor_features(*point), curriculum(name, *point)

    _fit(mentor, sample, seed)
    return tuple(variable.numpy() for variable in mentor.variables)


def data_driven_mentor(losses, is_right, seed: int) -> list[np.ndarray]:
    """The variables of a mentor that has learned which labels are right.

    v* = 1(noisy label == clean label). The differences are those to the percentiles 40, 50, 60,
    75, 80 and 90 of the losses at the same stage, drawn at random.

    Args:
        losses: [R, M], of all examples at R stages, evenly from the first to the last percent.
        is_right: [M] booleans, whether noisy and clean label are equal.
        seed: of the initial values and the batches.
    """
    mentor = MentorNet(seed)
    losses = tf.constant(losses, mentor.compute_dtype)
    is_right = tf.constant(is_right, losses.dtype)
    marks = tf.stack([[quantile(row, p) for p in _FRACTIONS] for row in losses])

    def sample(key):
        sizes = (_PERCENTS, losses.shape[1], len(_FRACTIONS))
        percent, example, mark = (_draw(key + [0, i], size) for i, size in enumerate(sizes))
        record = percent * losses.shape[0] // _PERCENTS
        loss = tf.gather_nd(losses, tf.stack([record, example], axis=1))
        difference = loss - tf.gather_nd(marks, tf.stack([record, mark], axis=1))
        return mentor_features(loss, difference, percent), tf.gather(is_right, example)

    _fit(mentor, sample, seed)
    return [variable.numpy() for variable in mentor.variables]


def _draw(key: tf.Tensor, size: int) -> tf.Tensor:
    """int32 [batch] in [0, size)."""
    return tf.random.stateless_uniform([_BATCH], key, 0, size, tf.int32)


def _fit(mentor: MentorNet, sample: Sample, seed: int) -> None:
    """Minimises the sigmoid cross-entropy of v*.

    Adam starts at the rate 0.1, which is multiplied by 0.9 after every thirtieth of the steps.
    Gradients are clipped to norm 5.
    """
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, _STEPS // 30, 0.9, staircase=True)
    optimizer = keras.optimizers.Adam(rate, global_clipnorm=5.0)
    variables = mentor.trainable_variables
    optimizer.build(variables)

    @tf.function
    def train():
        for step in tf.range(tf.constant(_STEPS, tf.int64)):
            # Three draws in each step.
            features, targets = sample(tf.stack([tf.constant(seed, tf.int64), 3 * step]))
            with tf.GradientTape() as tape:
                logits = mentor.logits(features)
                error = tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits)
                mean = tf.reduce_mean(error)
            optimizer.apply(tape.gradient(mean, variables), variables)

    train.get_concrete_function()()


def record_losses(
    student: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    per_example_loss: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
    inputs: Any,
    labels: np.ndarray,
    epochs: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Trains a student, and returns the loss of each example at each visit.

    Args:
        student: built classifier, which is trained in place.
        optimizer: an optimizer that is not built yet.
        per_example_loss: (labels, logits) -> [B].
        inputs: a tensor [M, ...] or a structure of such.
        labels: [M].
        epochs: at least 1.
        rng: source of the batches, of at most 100 examples each.

    Returns:
        [epochs, M].
    """
    variables = student.trainable_variables
    optimizer.build(variables)

    @tf.function(reduce_retracing=True)
    def step(rows):
        x, y = tf.nest.map_structure(lambda part: tf.gather(part, rows), (inputs, labels))

        def objective(logits):
            losses = per_example_loss(y, logits)
            return tf.reduce_mean(losses), losses

        linear = Linearisation(student, x, loss_scale(optimizer))
        cotangent, losses = logits_gradient(objective, linear.logits)
        gradient = linear.pullback(cotangent, regularisation_scale=1.0)
        apply_gradient(optimizer, gradient, variables)
        linear.commit()
        return losses

    size = len(labels)
    number = -(-size // 100)
    records = np.zeros((epochs, size))
    for record in records:
        # Uniform keys and a stable sort: NumPy may change what `permutation` draws.
        for rows in np.array_split(np.argsort(rng.random(size), kind="stable"), number):
            record[rows] = step(tf.constant(rows)).numpy()
    return records
