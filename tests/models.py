"""Tiny classifiers and batches that the tests share."""

import keras
import numpy as np
import tensorflow as tf

L = keras.layers


def mlp(classes=3, features=5):
    inputs = keras.Input((features,))
    return keras.Model(inputs, L.Dense(classes)(L.Dense(7, activation="tanh")(inputs)))


def cnn_with_batch_norm(classes=3):
    inputs = keras.Input((6, 6, 2))
    x = L.BatchNormalization(momentum=0.9)(L.Conv2D(4, 3, use_bias=False)(inputs))
    x = L.Conv2D(3, 3)(L.Activation("softplus")(x))
    x = L.GlobalAveragePooling2D()(L.Activation("tanh")(x))
    return keras.Model(inputs, L.Dense(classes)(x))


def mlp_with_dropout(classes=3, features=5):
    return keras.Sequential(
        [keras.Input((features,)), L.Dense(9, activation="tanh"), L.Dropout(0.4), L.Dense(classes)]
    )


def two_inputs(classes=3):
    left, right = keras.Input((4,), name="left"), keras.Input((2,), name="right")
    x = L.Concatenate()([L.Dense(5, activation="tanh")(left), L.Dense(3)(right)])
    return keras.Model([left, right], L.Dense(classes)(x))


class Subclassed(keras.Model):
    """A subclassed model whose `call` takes no `training` argument."""

    def __init__(self, classes=3):
        super().__init__()
        self.hidden, self.drop, self.out = (
            L.Dense(6, activation="tanh"),
            L.Dropout(0.3),
            L.Dense(classes),
        )

    def call(self, inputs):
        return self.out(self.drop(self.hidden(inputs)))


def subclassed(classes=3):
    model = Subclassed(classes)
    model(np.zeros((1, 5), "float32"))
    return model


CLASSIFIERS = {
    "mlp": (mlp, [(5,)]),
    "cnn_with_batch_norm": (cnn_with_batch_norm, [(6, 6, 2)]),
    "mlp_with_dropout": (mlp_with_dropout, [(5,)]),
    "two_inputs": (two_inputs, [(4,), (2,)]),
    "subclassed": (subclassed, [(5,)]),
}


def batch(shapes, size, seed, classes=3):
    """Inputs (an array, or a list for several inputs) and integer labels."""
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=(size, *shape)).astype(keras.config.floatx()) for shape in shapes]
    return arrays[0] if len(arrays) == 1 else arrays, rng.integers(0, classes, size)


def element(shapes, size=12, meta_size=8, classes=3):
    """One training element and its labels, as tensors."""
    inputs, labels = batch(shapes, size, 1, classes)
    meta_inputs, meta_labels = batch(shapes, meta_size, 2, classes)
    tensors = {
        "inputs": inputs,
        "sample_id": np.arange(size),
        "meta_inputs": meta_inputs,
        "meta_labels": meta_labels,
    }
    to_tensor = keras.ops.convert_to_tensor
    return keras.tree.map_structure(to_tensor, tensors), to_tensor(labels)


def elements(shapes, steps, batch_size=16, meta_batch_size=16):
    """A stream of `steps` training elements."""
    x, y = batch(shapes, steps * batch_size, 3)
    xm, ym = batch(shapes, steps * meta_batch_size, 4)
    slices = tf.data.Dataset.from_tensor_slices
    train = slices((as_tuple(x), y, np.arange(len(y)))).batch(batch_size)
    meta = slices((as_tuple(xm), ym)).batch(meta_batch_size)

    def pair(train, meta):
        (x, y, i), (xm, ym) = train, meta
        return {"inputs": x, "sample_id": i, "meta_inputs": xm, "meta_labels": ym}, y

    return tf.data.Dataset.zip(train, meta).map(pair)


def as_tuple(x):
    return tuple(x) if isinstance(x, list) else x
