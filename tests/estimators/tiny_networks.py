"""Networks and data that are trained in a moment."""

import keras
import numpy as np

from tf_mwn.estimators.training import Labelled, Plan, settings_of
from tf_mwn.methods import registry


def linear(X, n_classes):
    return keras.Sequential([keras.Input(X.shape[1:]), keras.layers.Dense(n_classes)])


def blobs(size: int, classes: int = 2, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Inputs [N, 4] far apart by class, and class numbers [N]."""
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.arange(size) % classes)
    inputs = rng.normal(size=(size, 4)) + 5 * np.eye(4)[codes]
    return inputs.astype("float32"), codes


def labelled(size: int, classes: int = 2, seed: int = 0) -> Labelled:
    return Labelled(*blobs(size, classes, seed))


def plan(method: str = "cross_entropy", epochs: int = 2, **options) -> Plan:
    """A plan of few steps."""
    found = registry.find(method)
    settings = settings_of(found, options, epochs=epochs, batch_size=20)
    return Plan(linear, found, settings, keras.optimizers.SGD(0.5), seed=0)
