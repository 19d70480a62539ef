"""Examples of three classes of different sizes, and models trained on them."""

import keras
import numpy as np

from tf_mwn import WholeSets, paired_dataset

COUNTS = [30, 20, 10]


rng = np.random.default_rng(0)


X = rng.normal(size=(60, 5)).astype("float32")


Y = np.repeat([0, 1, 2], COUNTS)


def compiled(model, sets=(X, Y), learning_rate=0.1, meta_learning_rate=0.5):
    model.compile(
        keras.optimizers.SGD(learning_rate, momentum=0.9),
        meta_optimizer=keras.optimizers.SGD(meta_learning_rate),
    )
    model.whole_sets = WholeSets.from_arrays(*sets, batch_size=25)
    return model


def fit(model, epochs, x=X, y=Y, meta=(None, None)):
    stream = paired_dataset(x, y, *meta, batch_size=20, seed=3)
    return model.fit(stream, epochs=epochs, verbose=0, shuffle=False).history
