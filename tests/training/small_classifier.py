"""A classifier with a hidden layer, its examples, and a short training."""

import keras
import numpy as np

from tf_mwn.data.streams.pipeline import paired_dataset

rng = np.random.default_rng(0)


X, Y = rng.normal(size=(40, 5)).astype("float32"), rng.integers(0, 3, 40)


def classifier():
    inputs = keras.Input((5,))
    hidden = keras.layers.Dense(4, activation="tanh", name="hidden")(inputs)
    return keras.Model(inputs, keras.layers.Dense(3, name="head")(hidden))


def fitted(model, epochs, callbacks=None):
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9))
    data = paired_dataset(X, Y, None, None, 20)
    model.fit(data, epochs=epochs, verbose=0, callbacks=callbacks)
    return model
