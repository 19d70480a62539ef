"""A tiny data set and classifier of every task, that the tests share."""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

L, K = keras.layers, keras.losses
SIZE, CLEAN, LENGTH = 16, 8, 4


@dataclasses.dataclass(frozen=True)
class Task:
    """A task.

    Attributes:
        shape: of an input.
        logits: of an example.
        labels: a generator of labels [N, ..].
        loss: for `compile`.
        formula: (labels, logits) -> the losses of all outputs, in TensorFlow alone.
        weight_per, ignored: for `compile`.
    """

    shape: tuple[int, ...]
    logits: tuple[int, ...]
    labels: Callable[[np.random.Generator, int], np.ndarray]
    loss: Any
    formula: Callable
    weight_per: str = "example"
    ignored: int | None = None

    def classifier(self):
        """Built, with logits of the task's shape; positions do not see each other."""
        inputs = keras.Input(self.shape)
        x = L.Dense(6, activation="tanh")(inputs)
        if len(self.shape) == 3:
            x = L.Conv2D(5, 2, padding="same", activation="tanh")(inputs)
        x = L.Dense(self.logits[-1] if self.logits else 1)(x)
        return keras.Model(inputs, x if self.logits else x[..., 0])

    def data(self, size=SIZE, seed=0):
        """Inputs and labels of `size` examples."""
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(size, *self.shape)).astype(keras.config.floatx())
        return x, self.labels(rng, size)

    def arguments(self):
        """Of `compile`."""
        return {"loss": self.loss, "weight_per": self.weight_per, "ignore_class": self.ignored}


def cross_entropy(y, z):
    y = tf.maximum(y, 0)
    return tf.reduce_logsumexp(z, -1) - tf.reduce_sum(
        tf.one_hot(y, z.shape[-1], dtype=z.dtype) * z, -1
    )


def sigmoid(y, z):
    y = tf.cast(tf.maximum(y, 0), z.dtype)
    return tf.math.softplus(z) - y * z


def squared(y, z):
    return (z - tf.cast(y, z.dtype)) ** 2


def one_column(formula):
    return lambda y, z: formula(tf.reshape(y, tf.shape(z)[:-1]), z[..., 0])


def numbers(*shape):
    return lambda rng, size: rng.integers(0, 3, (size, *shape))


def doubtful(classes, *shape):
    """Class numbers, some of them -1: of whole examples too, and not equally many per example."""

    def draw(rng, size):
        y = rng.integers(0, classes, (size, *shape))
        chance = rng.random((size, *[1] * len(shape)))
        y = np.where(rng.random(y.shape) < chance, -1, y)
        y[3::8] = -1
        return y

    return draw


def yes_or_no(*shape):
    return lambda rng, size: rng.integers(0, 2, (size, *shape))


def amounts(*shape):
    return lambda rng, size: rng.normal(size=(size, *shape)).astype("float32")


_BCE, _CE = K.BinaryCrossentropy(from_logits=True), None
TASKS = {
    "one logit": Task((5,), (1,), yes_or_no(), _BCE, one_column(sigmoid)),
    "one logit, a column": Task((5,), (1,), yes_or_no(1), _BCE, one_column(sigmoid)),
    "labels": Task((5,), (3,), yes_or_no(3), _BCE, sigmoid),
    "labels, each": Task((5,), (3,), yes_or_no(3), _BCE, sigmoid, "output"),
    "labels, each, some unknown": Task((5,), (3,), doubtful(2, 3), _BCE, sigmoid, "output", -1),
    "sequence": Task((LENGTH, 5), (LENGTH, 3), numbers(LENGTH), _CE, cross_entropy),
    "sequence, masked": Task(
        (LENGTH, 5), (LENGTH, 3), doubtful(3, LENGTH), _CE, cross_entropy, ignored=-1
    ),
    "sequence, each, masked": Task(
        (LENGTH, 5), (LENGTH, 3), doubtful(3, LENGTH), _CE, cross_entropy, "output", -1
    ),
    "map, each, masked": Task(
        (3, 3, 2), (3, 3, 2), doubtful(2, 3, 3), _CE, cross_entropy, "output", -1
    ),
    "regression": Task((5,), (), amounts(), K.MeanSquaredError(), squared),
    "regression, each": Task((5,), (2,), amounts(2), K.MeanSquaredError(), squared, "output"),
}
