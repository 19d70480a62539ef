"""Three clouds with a few wrong labels, and a classifier of them."""

import keras
import numpy as np

RNG = np.random.default_rng(0)


CENTRES = 4 * RNG.normal(size=(3, 5))


TRUE = RNG.integers(0, 3, 300)


X = (CENTRES[TRUE] + RNG.normal(size=(300, 5))).astype("float32")


WRONG = np.arange(300) % 5 == 0


Y = np.where(WRONG, (TRUE + 1) % 3, TRUE)


def linear(x_shape=(5,)):
    """Bayes' classifier of `CENTRES`, as a Keras model."""
    inputs = keras.Input(x_shape)
    dense = keras.layers.Dense(3)
    model = keras.Model(inputs, dense(keras.layers.Flatten()(inputs)))
    dense.set_weights([CENTRES.T, -0.5 * (CENTRES**2).sum(axis=1)])
    return model
