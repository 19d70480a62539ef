"""Small biased data, and a model evaluated on them."""

import keras
import numpy as np

from tf_mwn.data.splits.biased_data import BiasedData
from tf_mwn.data.subset import Subset
from tf_mwn.monitoring.callbacks import (
    EpochEvaluation,
)
from tf_mwn.monitoring.predictions import Predictor


def part(size, noisy=False, clean_known=True, seed=0):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(size, 5)).astype("float32"), rng.integers(0, 3, size)
    label = np.where(np.arange(size) % 4 == 0, (y + 1) % 3, y) if noisy else y
    return Subset(x, label, y if clean_known else None, np.arange(size))


def biased(**options):
    one = np.ones(5, "float32")
    return BiasedData(
        part(40, noisy=True, **options), part(9), None, part(20, seed=1), 3, 0 * one, one, {}
    )


def evaluated(model, data):
    """The logs of one epoch end."""
    model.compile(keras.optimizers.SGD(0.25))
    callback = EpochEvaluation(data, Predictor(model, lambda x: x, batch_size=16))
    callback.set_model(model)
    logs = {}
    callback.on_epoch_end(0, logs)
    return logs, callback
